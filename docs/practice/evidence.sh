# Evidence for the practice alliance (run alliance.sh first): a small model "mail-sorter 1.0" and its training labels,
# the supplier's claim, two inspections, a bill of materials, a data screening; then everyone exchanges.
set -eu

sh "$(dirname "$0")/delivery.sh"
cp "$(dirname "$0")/claim.toml" .
named='--system mail-sorter --release 1.0'
watchword statement sign claim claim.toml --of mail-sorter $named --output claim.json --home aquila
watchword ledger append claim.json --home bravo
watchword assure mail-sorter $named --home alfa
watchword inspect mail-sorter --record $named --home bravo
watchword data diff labels-before.csv labels.csv --key id --label label --annotator annotator \
  --record --of mail-sorter $named --dataset mail-labels --home bravo
for member in alfa bravo alfa bravo; do
  watchword ledger exchange post --home "$member"
done
