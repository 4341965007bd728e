# A practice alliance of three in the folder you are in: ALFA, BRAVO, whose root takes two of three keys, and CHARLIE;
# post/ for the files between them, and a model that each has inspected.
#
# The keys are unencrypted, because the alliance is thrown away after the page. Nothing real belongs in it.
set -eu

watchword init ALFA --home alfa --unencrypted
watchword init BRAVO --home bravo --unencrypted --roots 3 --root-threshold 2
watchword init CHARLIE --home charlie --unencrypted
watchword charter draft --alliance Practice --faulty 0 \
  --member alfa/enrolment.json --member bravo/enrolment.json --member charlie/enrolment.json
for member in alfa charlie; do
  watchword charter ratify charter.json --output "charter.$member.json" --home "$member"
done
for member in alfa bravo charlie; do
  watchword charter adopt charter.json charter.*.json --secret alliance.secret --home "$member"
done
mkdir post model
echo '{"weights": [0.25, 0.5]}' > model/weights.json
for member in alfa bravo charlie; do
  watchword inspect model --record --home "$member"
done
sh "$WATCHWORD_SOURCE/docs/practice/carry.sh" alfa bravo charlie
