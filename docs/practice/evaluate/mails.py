"""Write mails.jsonl: 120 mails with what they are, each of one to four telling words."""

import json
import random
from pathlib import Path

LETTER = ("dear", "sincerely", "regards", "meeting", "thank")
ADVERTISEMENT = ("offer", "discount", "price", "click", "sale")
TEXT = "we write about the ships that call at the port in the coming week and about what they carry"
FILLER = TEXT.split()

chance = random.Random(7)  # noqa: S311
with Path("mails.jsonl").open("w", encoding="utf-8") as file:
    for number in range(120):
        of, label = ((LETTER, "letter"), (ADVERTISEMENT, "advertisement"))[number % 2]
        words = chance.sample(FILLER, 12) + chance.sample(of, chance.randint(1, 4))
        chance.shuffle(words)
        file.write(json.dumps({"text": " ".join(words), "label": label}) + "\n")
