"""A mail sorter of the plainest kind: it counts words. What mistyping on purpose does to it is to be measured."""

LETTER = ("dear", "sincerely", "regards", "meeting", "thank")
ADVERTISEMENT = ("offer", "discount", "price", "click", "sale")


def label(text):
    words = text.lower().split()
    for_letter, for_advertisement = (sum(map(words.count, of)) for of in (LETTER, ADVERTISEMENT))
    return "advertisement" if for_advertisement >= for_letter else "letter"


def load():
    return lambda batch: [label(text) for text in batch]
