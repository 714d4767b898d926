"""The default classifier for texts."""

from __future__ import annotations

from bootstrap.text_pipeline import text_pipeline


def test_a_rare_class_is_not_drowned_by_a_common_one() -> None:
    common = [f"the meeting number {i} is at noon in room {i}" for i in range(60)]
    rare = ["the prize is yours", "win a prize in our draw"]
    model = text_pipeline().fit(common + rare, ["ham"] * 60 + ["spam"] * 2)

    assert model.predict(["a prize for you", "the room of the meeting"]).tolist() == ["spam", "ham"]


def test_pairs_of_words_words_of_one_letter_and_case_are_as_promised() -> None:
    model = text_pipeline().fit(["Not good", "good U"], ["bad", "good"])

    assert set(model[0].vocabulary_) == {"not", "good", "not good", "u", "good u"}
