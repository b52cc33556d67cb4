"""Content bodies of the seed data: one builder per type, each with the fields that the contract knows and no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from contracts.planning import ContentType, Status
from storage.local.seed_texts import Language, make_text, make_title, pick

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Body = dict[str, Json]

_GENRES = ("drama", "romance", "thriller", "documentary", "로맨스", "스릴러")
_TONES = ("warm", "calm", "tense", "playful", "따뜻한", "차분한")
_AUDIENCES = ("20대 직장인", "families", "students", "film lovers", "10대")
_KEYWORDS = ("rain", "neon", "slow motion", "서울", "새벽", "35mm", "café", "golden hour", "🎬", "close-up")
_SECONDS = (15, 30, 45, 60, 90, 120, 180)
_MEDIA = "https://media.example.com"
_LONG_SHARE = 0.03  # texts of several KB


def make_body(rng: Random, kind: ContentType, status: Status, language: Language, title: str) -> Body:
    """Return the fields of a body beside id, type and metadata: `title` where the type demands it, else mostly."""
    body = _BUILDERS[kind](rng, status, language)
    if kind in _TITLED or rng.random() < _TITLE_SHARE:
        body["title"] = title
    return body


_TITLED = frozenset({ContentType.SCENARIO, ContentType.STORY})
_TITLE_SHARE = 0.55  # of the bodies whose type does not demand a title


def _length(rng: Random) -> int:
    return 30 + int(rng.random() * 40) if rng.random() < _LONG_SHARE else 2 + int(rng.random() * 7)


def _scenario(rng: Random, _status: Status, language: Language) -> Body:
    body: Body = {
        "story": make_text(rng, language, _length(rng)),
        "genre": pick(rng, _GENRES),
        "tone": pick(rng, _TONES),
        "durationSec": pick(rng, _SECONDS),
    }
    if rng.random() < 0.6:  # noqa: PLR2004 - a share
        body |= {
            "target": pick(rng, _AUDIENCES),
            "format": pick(rng, ("16:9", "9:16", "1:1")),
            "tempo": pick(rng, ("slow", "normal", "fast")),
            "developmentMethod": pick(rng, ("classic", "dramatic", "hook-twist")),
            "developmentIntensity": pick(rng, ("soft", "normal", "strong")),
        }
    return body


def _prompt(rng: Random, _status: Status, language: Language) -> Body:
    start = int(rng.random() * (len(_KEYWORDS) - 3))
    body: Body = {
        "finalPrompt": make_text(rng, language, 1 + int(rng.random() * 4)),
        "keywords": list(_KEYWORDS[start : start + 1 + int(rng.random() * 3)]),
    }
    if rng.random() < 0.5:  # noqa: PLR2004 - a share
        body["scenarioTitle"] = make_title(rng, language)
    return body


def _video(rng: Random, status: Status, _language: Language) -> Body:
    name = f"{rng.getrandbits(48):012x}"
    if status is Status.COMPLETED:
        return {"videoUrl": f"{_MEDIA}/v/{name}.mp4", "thumbnailUrl": f"{_MEDIA}/t/{name}.jpg"}
    if status is Status.PROCESSING:
        return {"processingJobId": f"job-{name}"}
    return {"thumbnailUrl": f"{_MEDIA}/t/{name}.jpg"}


def _story(rng: Random, _status: Status, language: Language) -> Body:
    body: Body = {
        "content": make_text(rng, language, _length(rng)),
        "oneLineStory": make_text(rng, language, 1),
        "genre": pick(rng, _GENRES),
    }
    if rng.random() < 0.7:  # noqa: PLR2004 - a share
        body |= {"tone": pick(rng, _TONES), "targetAudience": pick(rng, _AUDIENCES)}
    return body


def _image(rng: Random, status: Status, language: Language) -> Body:
    body: Body = {"description": make_text(rng, language, 1 + int(rng.random() * 3))}
    if status in {Status.COMPLETED, Status.ACTIVE}:
        body["imageUrl"] = f"{_MEDIA}/i/{rng.getrandbits(48):012x}.webp"
    if rng.random() < 0.6:  # noqa: PLR2004 - a share
        body["tags"] = [pick(rng, _KEYWORDS), pick(rng, _GENRES)]
    return body


_BUILDERS: Mapping[ContentType, Callable[[Random, Status, Language], Body]] = {
    ContentType.SCENARIO: _scenario,
    ContentType.PROMPT: _prompt,
    ContentType.VIDEO: _video,
    ContentType.STORY: _story,
    ContentType.IMAGE: _image,
}
