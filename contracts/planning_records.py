"""The planning records at the boundary: one strict Pydantic model per content type, and the metadata that they share.

Every model refuses unknown keys, converts nothing and takes `null` for no optional field: a key that may be missing is
missing, not null. In a model such a field is None exactly when its key was not there. Lengths count characters (Unicode
code points), times are milliseconds since 1970 in UTC. A whole number may be written `90` or `90.0`, since the two are
equal to every store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from contracts.planning_words import STATUS_ALIASES, TITLE_MAX, ContentType, Status

ID_MAX = 100

_T = TypeVar("_T")


class _NotNull:
    """Take the null out of `T | None`, so that None can only mean a missing key."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        if schema["type"] != "nullable":
            msg = "only `T | None` can be made not null"
            raise TypeError(msg)
        inner: CoreSchema = schema["schema"]
        return inner


def _whole(value: float) -> int:
    if not value.is_integer():
        msg = "must be a whole number"
        raise ValueError(msg)
    return int(value)


_URL = SchemaValidator(core_schema.url_schema())


def _url(value: str) -> str:
    _URL.validate_python(value)
    return value


class _Whole:
    """Read a whole number from `least` on, however it is written; always an int once it was read."""

    def __init__(self, least: int) -> None:
        self._least = least

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        integer = core_schema.int_schema(strict=True, ge=self._least)
        number = core_schema.float_schema(strict=True, ge=self._least)
        written = core_schema.no_info_after_validator_function(_whole, number)
        return core_schema.union_schema([integer, written], mode="left_to_right")  # the usual form first


Natural = Annotated[int, _Whole(0)]
Positive = Annotated[int, _Whole(1)]
Id = Annotated[str, Field(min_length=1, max_length=ID_MAX)]
Title = Annotated[str, Field(min_length=1, max_length=TITLE_MAX)]
Text = Annotated[str, Field(min_length=1)]
Url = Annotated[str, AfterValidator(_url)]
"""An absolute URL of any scheme, kept as it was written."""
StatusText = Annotated[str, Field(pattern="^(" + "|".join([*Status, *STATUS_ALIASES]) + ")$")]
Absent = Annotated[_T | None, _NotNull()]
"""A field whose key may be missing, and that is not null where it is there."""


class Strict(BaseModel):
    """Base of all records: unknown keys are refused, nothing is converted, nothing changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, cache_strings="keys")


class PlanningMetadata(Strict):
    """What is known about a record beside its content; every key may be missing, and an owner of null is a guest."""

    userId: Id | None = None  # noqa: N815 - the key in the stored JSON, as all names below
    status: Absent[StatusText] = None
    createdAt: Absent[Natural] = None  # noqa: N815
    updatedAt: Absent[Natural] = None  # noqa: N815
    projectId: Absent[str] = None  # noqa: N815
    version: Absent[Positive] = None
    author: Absent[str] = None


class BaseContent(Strict):
    """What the content of every type has."""

    id: Id
    metadata: Absent[PlanningMetadata] = None


class Scenario(BaseContent):
    """A scenario: how a film is to be told."""

    type: Literal["scenario"]
    title: Title
    story: Absent[str] = None
    genre: Absent[str] = None
    tone: Absent[str] = None
    target: Absent[str] = None
    format: Absent[str] = None
    tempo: Absent[str] = None
    developmentMethod: Absent[str] = None  # noqa: N815
    developmentIntensity: Absent[str] = None  # noqa: N815
    durationSec: Absent[Natural] = None  # noqa: N815


class Prompt(BaseContent):
    """A prompt: the text that a generator is given."""

    type: Literal["prompt"]
    finalPrompt: Text  # noqa: N815
    title: Absent[Title] = None
    scenarioTitle: Absent[str] = None  # noqa: N815
    keywords: Absent[list[str]] = None


class Video(BaseContent):
    """A video, made or being made."""

    type: Literal["video"]
    title: Absent[Title] = None
    videoUrl: Absent[Url] = None  # noqa: N815
    thumbnailUrl: Absent[Url] = None  # noqa: N815
    processingJobId: Absent[str] = None  # noqa: N815


class Story(BaseContent):
    """A story in prose."""

    type: Literal["story"]
    title: Title
    content: Text
    oneLineStory: Absent[str] = None  # noqa: N815
    genre: Absent[str] = None
    tone: Absent[str] = None
    targetAudience: Absent[str] = None  # noqa: N815


class Image(BaseContent):
    """An image and what it shows."""

    type: Literal["image"]
    title: Absent[Title] = None
    imageUrl: Absent[Url] = None  # noqa: N815
    thumbnailUrl: Absent[Url] = None  # noqa: N815
    description: Absent[str] = None
    tags: Absent[list[str]] = None


Content = Annotated[Scenario | Prompt | Video | Story | Image, Field(discriminator="type")]
"""The content of a planning record, told apart by its `type`."""

CONTENT: TypeAdapter[Scenario | Prompt | Video | Story | Image] = TypeAdapter(Content)
METADATA: TypeAdapter[PlanningMetadata] = TypeAdapter(PlanningMetadata)
MODELS: dict[ContentType, type[Scenario | Prompt | Video | Story | Image]] = {
    ContentType.SCENARIO: Scenario,
    ContentType.PROMPT: Prompt,
    ContentType.VIDEO: Video,
    ContentType.STORY: Story,
    ContentType.IMAGE: Image,
}

JsonCheck = Callable[[str], Any]


def json_checks() -> dict[str, JsonCheck]:
    """Return, per type as the store writes it, the function that reads a JSON text or raises `ValidationError`."""
    return {str(kind): TypeAdapter(model).validator.validate_json for kind, model in MODELS.items()}
