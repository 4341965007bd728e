# A folder of three files, and a list of three addresses with two records of downloads; with "changed", two files differ.
set -eu
if [ "${1:-}" = changed ]; then
  printf 'x' | dd of=photos/film.raw bs=1 seek=1500000 conv=notrunc 2>/dev/null
  mv photos/one.jpg photos/one-b.jpg
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
