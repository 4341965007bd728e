// Check a ledger of watchword with code that watchword has no part in: golang.org/x/mod/sumdb.
//
// Reads one request per line of stdin, as JSON, and answers each with a line: "ok", or what is wrong.
//
//   - The checkpoint is a signed note of the key given (Ed25519; lines of other types are ignored, as signed-note says).
//   - Every tile that is needed is read from the folder and authenticated against the checkpoint's root.
//   - Every record asked for stands in its entry bundle, and is proven from the tiles; watchword's own proof of it is the
//     same, hash by hash. So is every consistency proof.
//
// C2SP tlog-tiles is what sumdb serves, but for the height in the path and for entry bundles, which are read here.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// Request is what one line asks for: a folder, its key, and what watchword says of it.
type Request struct {
	Folder  string
	Vkey    string
	Size    int64
	Records []struct {
		Index int64
		Path  [][]byte
	}
	Trees []struct {
		Old  int64
		Root []byte
		Path [][]byte
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var asked Request
		err := json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			err = check(&asked)
		}
		if err != nil {
			fmt.Println(err)
		} else {
			fmt.Println("ok")
		}
	}
}

func check(asked *Request) error {
	tree, err := head(asked)
	if err != nil {
		return err
	}
	if tree.N != asked.Size {
		return fmt.Errorf("checkpoint is at size %d, not %d", tree.N, asked.Size)
	}
	if tree.N == 0 {
		// sumdb has no empty tree; its root is the hash of nothing.
		empty, err := tlog.ParseHash("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
		if err != nil || tree.Hash != empty {
			return fmt.Errorf("empty tree has root %v", tree.Hash)
		}
		return nil
	}
	reader := tlog.TileHashReader(tree, &folder{asked.Folder, tree.N})
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("tiles give root %v, the checkpoint has %v: %v", root, tree.Hash, err)
	}
	for _, record := range asked.Records {
		entry, err := readEntry(asked.Folder, record.Index, tree.N)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, record.Index, reader)
		if err != nil {
			return err
		}
		if err := same(proof, record.Path); err != nil {
			return fmt.Errorf("inclusion proof of %d in %d: %v", record.Index, tree.N, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, record.Index, tlog.RecordHash(entry)); err != nil {
			return fmt.Errorf("entry %d of %d: %v", record.Index, tree.N, err)
		}
	}
	for _, older := range asked.Trees {
		proof, err := tlog.ProveTree(tree.N, older.Old, reader)
		if err != nil {
			return err
		}
		if err := same(proof, older.Path); err != nil {
			return fmt.Errorf("consistency proof from %d to %d: %v", older.Old, tree.N, err)
		}
		var root tlog.Hash
		copy(root[:], older.Root)
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, older.Old, root); err != nil {
			return fmt.Errorf("from %d to %d: %v", older.Old, tree.N, err)
		}
	}
	return nil
}

// head opens the checkpoint with the key given and reads its three lines.
func head(asked *Request) (tlog.Tree, error) {
	data, err := os.ReadFile(filepath.Join(asked.Folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(asked.Vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("checkpoint is not three lines that begin with %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] {
		return tlog.Tree{}, fmt.Errorf("size %q", lines[1])
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// folder reads tiles as C2SP lays them out.
type folder struct {
	path string
	size int64
}

func (f *folder) Height() int { return height }

func (f *folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f *folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := os.ReadFile(filepath.Join(f.path, layout(tile)))
		if err != nil && tile.W < 1<<height {
			// The partial tile may be gone once the full one is there.
			full := tile
			full.W = 1 << height
			if data, err = os.ReadFile(filepath.Join(f.path, layout(full))); err == nil {
				data = data[:tile.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

// layout is sumdb's path without the height.
func layout(tile tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
}

// readEntry reads an entry from the bundle that it stands in.
func readEntry(path string, index, size int64) ([]byte, error) {
	number := index >> height
	width := size - number<<height
	if width > 1<<height {
		width = 1 << height
	}
	bundle := tlog.Tile{H: height, L: -1, N: number, W: int(width)}
	name := strings.Replace(layout(bundle), "tile/data/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(path, name))
	if err != nil {
		return nil, err
	}
	var entry []byte
	for place := int64(0); place < width; place++ {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("%s is cut off in entry %d", name, place)
		}
		length := int(binary.BigEndian.Uint16(data))
		if number<<height+place == index {
			entry = data[2 : 2+length]
		}
		data = data[2+length:]
	}
	if len(data) != 0 {
		return nil, fmt.Errorf("%s has %d bytes too many", name, len(data))
	}
	return entry, nil
}

func same(proof []tlog.Hash, given [][]byte) error {
	if len(proof) != len(given) {
		return fmt.Errorf("%d hashes, sumdb has %d", len(given), len(proof))
	}
	for i, hash := range proof {
		if !bytes.Equal(hash[:], given[i]) {
			return fmt.Errorf("hash %d is %s, sumdb has %v", i, base64.StdEncoding.EncodeToString(given[i]), hash)
		}
	}
	return nil
}
