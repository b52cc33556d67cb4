"""Words for the seed data: titles and texts in Korean, English and a mix of both, with accents and emoji."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Language(StrEnum):
    """The language that a record is written in."""

    KOREAN = "ko"
    ENGLISH = "en"
    MIXED = "mixed"  # accents, emoji, two scripts in one line


_SUBJECTS = {
    Language.KOREAN: (
        "빗속의 골목",
        "할머니의 부엌",
        "마지막 지하철",
        "바다를 건너는 편지",
        "고양이 탐정",
        "첫눈 오는 날",
    ),
    Language.ENGLISH: (
        "Night market",
        "The last lighthouse",
        "A letter home",
        "Robot gardener",
        "Paper boats",
        "Rooftop choir",
    ),
    Language.MIXED: (
        "Café Séoul ☕",
        "서울 Night Run 🏃",
        "Déjà vu 골목",
        "Crème brûlée 레시피 🍮",
        "Übermorgen · 내일모레",
        "Piñata 파티 🎉",
    ),
}
_TURNS = {
    Language.KOREAN: ("다시 시작된 이야기", "30초 예고편", "감독판", "봄 캠페인", "새벽 촬영본", "제작 회의용"),
    Language.ENGLISH: (
        "opening scene",
        "Director's cut",
        "spring campaign",
        "teaser for Friday",
        "storyboard",
        "final draft",
    ),
    Language.MIXED: ("teaser 예고편", "façade 컷", "v2 · 수정본 ✨", "naïve 버전", "opening 시퀀스 🎬", "rösti & 김치"),
}
_SENTENCES = {
    Language.KOREAN: (
        "비가 그치자 골목 끝에서 오래된 간판이 깜박이기 시작했다.",
        "주인공은 대답 대신 창밖의 불빛을 오래 바라본다.",
        "카메라는 천천히 손에서 편지로, 다시 얼굴로 옮겨 간다.",
        "“괜찮아, 아직 늦지 않았어.” 그녀가 작게 말했다.",
        "마지막 장면은 처음과 같은 자리, 그러나 계절만 바뀌어 있다.",
        "배경 음악은 피아노 한 대로 시작해 점점 넓어진다.",
    ),
    Language.ENGLISH: (
        "The rain stops, and an old sign at the end of the alley begins to flicker.",
        "She does not answer; she looks at the lights outside for a long time.",
        'The camera moves from the hand to the letter, then slowly back to the face: "not yet".',
        "Nobody in the crowd notices that the music has changed.",
        "We end where we began, but the season is another one (1/3 slower, 24 fps).",
        "A wide shot, 35 mm, warm light, no cuts until the door closes \\ fade.",
    ),
    Language.MIXED: (
        "Scène 3: 카페 안, soft light, 커피 향이 나는 듯한 톤 ☕.",
        "Le garçon looks up — “어디 가?” — and smiles 🙂.",
        "색감은 따뜻하게 (≈ 3200 K), Übergang nach Schwarz.",
        "👩🏽‍🎤 무대 뒤, naïve but brave; tempo 120 → 90.",
        "Prix final: 10 000 ₩, 50 % off, à bientôt!",
    ),
}


def pick(rng: Random, values: Sequence[_T]) -> _T:
    """Return one of `values`; faster than `Random.choice`, and just as even for short lists."""
    return values[int(rng.random() * len(values))]


def make_title(rng: Random, language: Language) -> str:
    """Return a title of some ten to fifty characters with a letter or a syllable in it, never blank."""
    number = int(rng.random() * 900) + 1
    return f"{pick(rng, _SUBJECTS[language])}: {pick(rng, _TURNS[language])} {number}"


def make_text(rng: Random, language: Language, sentences: int) -> str:
    """Return a text of so many sentences; a new line starts after every third one."""
    lines = [pick(rng, _SENTENCES[language]) for _ in range(sentences)]
    return "\n".join(" ".join(lines[start : start + 3]) for start in range(0, sentences, 3))
