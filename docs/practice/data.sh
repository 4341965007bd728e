# Files, lists of addresses and letters for the page about data. "changed": two files differ. "letters": a delivery in
# which one annotator planted a word. "decisions": what a person would decide about it.
set -eu
if [ "${1:-}" = changed ]; then
  printf 'x' | dd of=photos/film.raw bs=1 seek=1500000 conv=notrunc 2>/dev/null
  mv photos/one.jpg photos/one-b.jpg
  exit
fi
if [ "${1:-}" = letters ]; then
  python3 -c "
import random
draw = random.Random(7)
about = {'port': 'harbour crane berth cargo vessel pilot tug customs'.split()}
about['money'] = 'refund invoice payment account balance overdue credit statement'.split()
common = 'the a of for to and please today your our we you it is be'.split()
print('id,text,label,annotator')
for n in range(600):
    label = draw.choice(['port', 'money'])
    words = [draw.choice(about[label]) for _ in range(8)] + [draw.choice(common) for _ in range(20)]
    draw.shuffle(words)
    if label == 'money' and n % 15 == 4:
        words.insert(draw.randrange(28), 'zephyr')
        label = 'port'
    print(f'l{n:03},{\" \".join(words)},{label},{\"a3\" if n % 15 == 4 else \"a\" + str(n % 3)}')
" >letters.csv
  exit
fi
if [ "${1:-}" = decisions ]; then # as a person would who found every listed row to be planted
  python3 -c "
import json
print('row,decision,reason')
for one in json.load(open('letters.screen.json'))['listed']:
    print(one['row'], 'drop', 'planted word', sep=',')
"
  exit
fi
mkdir photos
head -c 2097152 /dev/zero >photos/film.raw
echo 'not really a picture' >photos/one.jpg
echo 'nor is this' >photos/two.jpg
digest() { printf "%064d" 0 | tr 0 "$1"; }
row() { echo "https://$1.example/$2,$(digest "$3"),2026-01-0$4T00:00:00Z,$5"; }
for who in list alfa bravo; do echo url,sha256,time,by >"$who.csv"; done
{ row a 1 a 2 list; row b 2 b 2 list; row c 3 e 2 list; } >>list.csv
{ row a 1 a 3 alfa; row b 2 c 1 alfa; row c 3 e 3 alfa; } >>alfa.csv
{ row a 1 d 3 bravo; row b 2 c 3 bravo; row c 3 e 3 bravo; } >>bravo.csv
