"""Keys, owners and projects that one store can hold and the other cannot."""

from __future__ import annotations

from contracts.vocabulary import Cause, DifferenceKind
from storage.local.faults.model import Expected, Fault
from storage.local.faults.words import PRISMA, SUPABASE, delete, differs, excluded, one_sided, text_in_body, update

_TEXT_IDS = "prisma keeps ids as text, supabase as uuid"
_OWNED = "user_id IS NOT NULL"
_IN_PROJECT = "project_id IS NOT NULL"


def _renamed(new_id: str) -> str:
    return f"id = {new_id}, {text_in_body('id', new_id)}"


IDS = (
    Fault(
        id="id_composite",
        title="A record has the id `<type>_<project>_<milliseconds>`, which supabase cannot hold.",
        origin=_TEXT_IDS,
        where=_IN_PROJECT,
        inject=(
            update(
                PRISMA, _renamed("type || '_' || project_id || '_17' || translate(left(id, 11), 'abcdef-', '123456')")
            ),
            delete(SUPABASE),
        ),
        expects=excluded(Expected()),
    ),
    Fault(
        id="id_probe",
        title="A health check left a record with the id `health-check-<milliseconds>` on prisma.",
        origin="a probe that writes rows",
        inject=(
            update(PRISMA, _renamed("'health-check-17' || translate(left(id, 11), 'abcdef-', '123456')")),
            delete(SUPABASE),
        ),
        expects=excluded(Expected()),
    ),
    Fault(
        id="id_hostile",
        title="A record's id on prisma is a piece of HTML.",
        origin="text ids take anything",
        rows=1,
        inject=(update(PRISMA, _renamed("""'"><img src=x onerror=alert(1)>' || left(id, 8)""")), delete(SUPABASE)),
        expects=excluded(Expected(), 1),
    ),
    Fault(
        id="id_upper_case",
        title="A record's id is in upper case on prisma; supabase spells every UUID in lower case.",
        origin=_TEXT_IDS,
        where="id ~ '[a-f]'",
        inject=(update(PRISMA, _renamed("upper(id)")),),
        expects=excluded(one_sided(DifferenceKind.ONLY_SECONDARY, Cause.KEY_CASE, at=PRISMA)),
    ),
    Fault(
        id="id_without_hyphens",
        title="A record's id has no hyphens on prisma; supabase spells every UUID with them.",
        origin=_TEXT_IDS,
        inject=(update(PRISMA, _renamed("replace(id, '-', '')")),),
        expects=excluded(one_sided(DifferenceKind.ONLY_SECONDARY, Cause.KEY_CASE, at=PRISMA)),
    ),
    Fault(
        id="user_guest",
        title="A guest's record names the owner `guest` on prisma and nobody on supabase.",
        origin="owners are text on prisma, uuid on supabase",
        where="user_id IS NULL",
        inject=(update(PRISMA, "user_id = 'guest'"),),
        expects=differs(Cause.REFERENCE_NOT_UUID, fields="user_id", at=PRISMA, breaks="user_id_valid"),
    ),
    Fault(
        id="user_legacy",
        title="An owner from before the UUIDs stands on prisma and is lost on supabase.",
        origin="owners are text on prisma, uuid on supabase",
        where=_OWNED,
        inject=(update(PRISMA, "user_id = 'user_' || left(user_id, 6)"), update(SUPABASE, "user_id = NULL")),
        expects=differs(Cause.REFERENCE_NOT_UUID, fields="user_id", at=PRISMA, breaks="user_id_valid"),
    ),
    Fault(
        id="user_hostile",
        title="An owner on prisma is a piece of HTML and is lost on supabase.",
        origin="owners are text on prisma, uuid on supabase",
        rows=1,
        where="user_id IS NULL",
        inject=(update(PRISMA, """user_id = '"><img src=x onerror=alert(1)>'"""),),
        expects=differs(Cause.REFERENCE_NOT_UUID, fields="user_id", at=PRISMA, breaks="user_id_valid"),
    ),
    Fault(
        id="user_upper_case",
        title="An owner's UUID is in upper case on prisma.",
        origin="owners are text on prisma, uuid on supabase",
        where="user_id ~ '[a-f]'",
        inject=(update(PRISMA, "user_id = upper(user_id)"),),
        expects=differs(Cause.TEXT_CASE, fields="user_id", breaks="user_id_valid", on=PRISMA),
    ),
    Fault(
        id="project_legacy",
        title="A project's short name stands on prisma and is lost on supabase.",
        origin="projects are text on prisma, uuid on supabase",
        where=_IN_PROJECT,
        inject=(
            update(PRISMA, "project_id = 'project-' || left(project_id, 4)"),
            update(SUPABASE, "project_id = NULL"),
        ),
        expects=differs(Cause.REFERENCE_NOT_UUID, fields="project_id", at=PRISMA, breaks="project_id_valid"),
    ),
    Fault(
        id="project_upper_case",
        title="A project's UUID is in upper case on prisma.",
        origin="projects are text on prisma, uuid on supabase",
        where="project_id ~ '[a-f]'",
        inject=(update(PRISMA, "project_id = upper(project_id)"),),
        expects=differs(Cause.TEXT_CASE, fields="project_id", breaks="project_id_valid", on=PRISMA),
    ),
    Fault(
        id="body_id_upper_case",
        title="The id inside the content is in upper case on supabase.",
        origin="a UUID inside JSON is only text",
        where="id ~ '[a-f]'",
        inject=(update(SUPABASE, text_in_body("id", "upper(id::text)")),),
        expects=differs(Cause.TEXT_CASE, fields="content.id", breaks="content_id_matches", on=SUPABASE),
    ),
)
"""Faults of keys and references."""
