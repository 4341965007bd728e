for n in 1 2 3; do
  watchword gate authzen --of "mail-sorter 1.0" --token-file token --port 0 --home alfa > door$n.txt 2>&1 &
  echo $! > pid$n
done
