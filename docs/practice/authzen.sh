# ask.sh PATH [JSON]: ask the AuthZEN door whose address stands in door.txt, with the token in the file token.
curl -s -H "Authorization: Bearer $(cat token)" -H "Content-Type: application/json" ${2:+-d "$2"} "$(sed 's/.* at //' door.txt)$1"
