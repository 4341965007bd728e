# A practice alliance in the folder you are in: members ALFA and BRAVO, supplier AQUILA, and post/ for the files
# between them. What it types is explained in docs/howto/start-an-alliance.md.
#
# The keys are unencrypted, because the alliance is thrown away after the page. Nothing real belongs in it.
set -eu

watchword init ALFA --home alfa --unencrypted
watchword init BRAVO --home bravo --unencrypted
watchword init AQUILA --home aquila --supplier --contact psirt@aquila.example --unencrypted
watchword charter draft --alliance Practice --faulty 0 \
  --member alfa/enrolment.json --member bravo/enrolment.json --supplier aquila/enrolment.json
for member in alfa bravo; do
  watchword charter ratify charter.json --home "$member"
done
for member in alfa bravo; do
  watchword charter adopt charter.json ALFA.ratification.json BRAVO.ratification.json \
    --secret alliance.secret --home "$member"
done
mkdir post
