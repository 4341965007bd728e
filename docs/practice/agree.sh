# What the members of a practice alliance do with a proposal: each ratifies it, then adopts it with all ratifications.
# BRAVO's root takes two of its three keys.
set -eu

proposal=$1
shift
for member in "$@"; do
  watchword charter ratify "$proposal" --output "${proposal%.json}.$member.json" --home "$member"
  [ "$member" != bravo ] || watchword charter ratify "$proposal" --root root-3 --output "${proposal%.json}.3.json" --home bravo
done
for member in "$@"; do
  watchword charter adopt "$proposal" "${proposal%.json}".*.json --secret alliance.secret --home "$member"
done
rm -f post/*
sh "$WATCHWORD_SOURCE/docs/practice/carry.sh" "$@"
