# long: every bound in one place, where a reader can question it
"""Every bound of watchword, with its unit and where the number comes from.

A bound is here when hostile input could otherwise decide how much time or memory we spend. Rooms import
the names; nobody writes a number of this sort in place.
"""

from __future__ import annotations

# -- statements -----------------------------------------------------------------------------------
ENVELOPE_BYTES_MAX = 4 * 1024 * 1024
"""One DSSE envelope. Origin: an inspection of 10,000 findings is about 3 MB; larger evidence is an attachment."""

JSON_DEPTH_MAX = 64
"""Nesting of any JSON or TOML document. Origin: ten times what our own kinds nest; below CPython's recursion limit."""

JSON_INTEGER_MAX = 2**53 - 1
"""Largest magnitude of an integer in canonical JSON. Origin: RFC 8785, section 3.2.2.3 (I-JSON)."""

BACKUP_NAME_BYTES_MAX = 1_024
"""One name in a copy of a node's folder. Origin: the deepest tile of a mirror has a name of some 120 bytes."""

DISK_FREE_BYTES_MIN = 512 * 2**20
"""Free space under which ``doctor`` calls a node ill. Origin: some hours of receipts at 3,000 a second and 1 KB each
need 40 MB a minute; a member needs minutes to act, and no disk of today has so little left by design."""

DISK_FREE_BYTES_LOOK = 4 * DISK_FREE_BYTES_MIN
"""Free space under which ``doctor`` says so. Origin: as the shipped alert rule; time to order a disk, not to run."""

DISK_FREE_FILES_MIN = 10_000
"""Files that a disk can still take, under which ``doctor`` calls a node ill. Origin: a body a file, a day of a large
alliance's statements."""

# -- inspect --------------------------------------------------------------------------------------
RELEASE_FILES_MAX = 250_000
"""Files and links in one release.
Origin: the largest published model folders hold some 10,000; a manifest stays below 64 MiB."""

RELEASE_DEPTH_MAX = 64
"""Nesting of folders in a release. Origin: four times the deepest package tree met."""

MANIFEST_BYTES_MAX = 64 * 1024 * 1024
"""One release manifest. Origin: RELEASE_FILES_MAX entries of about 250 bytes."""

MANIFEST_PATH_BYTES_MAX = 1024
"""One path of a manifest, in UTF-8 bytes.
Origin: a quarter of Linux's PATH_MAX, so that it can be unpacked anywhere."""

READ_BYTES = 128 * 1024
"""One read of the hashing pass. Origin: the quickest of 32 KiB to 1 MiB, since the buffer stays in a core's cache."""

WHOLE_FILE_BYTES_MAX = 4 * 1024 * 1024
"""Files up to this size are read once into memory, hashed and judged there. Larger ones are hashed in a thread."""

FAR_BLOCK_BYTES = 1024 * 1024
"""What is asked for at least, of a file that is not on this machine. Origin: 8 ms of a 1 Gbit/s line, a round trip."""

FAR_RUN_BLOCKS = 8
"""Blocks asked for at once by whoever reads on. Origin: at 8 MiB the request itself is below a tenth of the time."""

FAR_BLOCKS_HELD = 64
"""Blocks of a far file in memory. Origin: 64 MiB a process; files up to that size are read once."""

FAR_READ_S_MAX = 300
"""One request for a part of a far file, in seconds. Origin: 8 MiB over a line of 250 kbit/s."""

FAR_TRIES = 3
"""How often such a request is tried. Origin: a restart of a load balancer is over by the third."""

FLEET_RELEASES_MAX = 1_000_000
"""Releases in a hub, tags in a registry. Origin: half of the models on the largest public hub; 300 MB of names."""

FLEET_FILES_MAX = 2_000_000
"""Files in a hub that is not on this machine. Origin: about 1 GB while it is listed; larger hubs are named in parts."""

FLEET_PAGE_BYTES_MAX = 16 * 1024 * 1024
"""One page of a list over HTTP: links of a folder, tags, a token. Origin: 100,000 names of 160 bytes."""

FLEET_MANIFEST_BYTES_MAX = 4 * 1024 * 1024
"""One manifest of a registry. Origin: what OCI distribution 1.1 asks registries to take at least."""

FLEET_MANIFESTS_MAX = 1_024
"""Manifests of one artefact, indexes counted. Origin: one for each platform of an index, 20 times the most seen."""

OCI_REFERRERS_MAX = 1_000
"""Of what is attached to an artefact, how much is read. Origin: 20 members, 50 statements each."""

OCI_LISTED_MAX = 100_000
"""How much may be attached to an artefact, of any kind. Origin: 100 pages of a list as registries cut them."""

OCI_TAG_TRIES = 5
"""How often the list behind a fallback tag is written until our entry is in it. Origin: that many write at once."""

FLEET_LINE_BYTES_MAX = 1024 * 1024 * 1024
"""One line of the state of a fleet. Origin: the inspection of a release of RELEASE_FILES_MAX files is some 200 MB."""

FLEET_BATCH_FILES = 16
"""Files that travel to a process together. Origin: handing over costs 0.1 ms, a small file 2 ms; below 1 %."""

FLEET_BATCH_BYTES = 16 * 1024 * 1024
"""Bytes that do. Origin: 10 ms of hashing, so that all processes end at about the same time."""

FLEET_MODEL_BYTES_MAX = 16 * 1024**3
"""A model that is fetched to be evaluated. Origin: what the process that runs it may use, SANDBOX_MEMORY_BYTES_MAX."""

FLEET_SPLIT_BYTES = 256 * 1024 * 1024
"""Releases above this size are shared between processes file by file. Origin: a fifth of a second of hashing."""

CONFINED_ANSWER_BYTES_MAX = 1024 * 1024 * 1024
"""What a confined inspector says of one file. Origin: 200,000 tensors with long names are some 100 MB."""

CONFINED_CPU_S_MAX = 12 * 3600
"""CPU time of a confined inspector for its share of a release. Origin: ten times what 1 TB of weights takes to hash."""

CONFINED_SPOOLS = 8
"""Temporary files that it has. Origin: NESTING_MAX containers in each other, one file each, and two to spare."""

CONFINED_FILES_MAX = 1_000
"""Files that one confined inspector is given. Origin: 2 s of small files; another one in its place costs 0.1 s."""

CONFINED_TENSORS = 256
"""Temporary files where tensors are read. Origin: one for each compressed array of a file; 1 ms to make them all."""

PICKLE_OPS_MAX = 200_000_000
"""Opcodes followed in one file. Origin: about two minutes; honest pickles met have under 20 million."""

PICKLE_STACK_MAX = 2_000_000
"""Values and marks on the stack of the pickle machine. Origin: about 150 MB of symbolic values."""

PICKLE_VALUES_MAX = 1_000_000
"""Containers and calls that keep their contents; later ones keep less (what they call is judged all the same)."""

PICKLE_ITEMS_MAX = 32
"""Items that a symbolic container keeps; the rest are counted. Calls inside the rest have been judged before."""

PICKLE_NESTING_MAX = 48
"""Depth to which symbolic values keep what is in them. Origin: rendering and release of values stay shallow."""

PICKLE_TEXT_BYTES_MAX = 4096
"""Longest string constant kept whole by the pickle machine, in bytes; longer ones keep their first 64 and their
place."""

PICKLE_TEXT_TOTAL_MAX = 64 * 1024 * 1024
"""String constants kept in all, in bytes. Beyond it, strings longer than 64 bytes are cut."""

PICKLE_GLOBALS_MAX = 65_536
"""Different imports of one pickle. Origin: the richest honest pickles met have under 500."""

PROGRAM_LINES_MAX = 40
"""Lines of the program that is shown for a pickle, and events that it is made from. Origin: a screen."""

PICKLE_NESTED_BYTES_MAX = 64 * 1024 * 1024
"""A pickle inside a byte string of a pickle, where it has to be decoded into memory before it is read."""

PICKLE_PLANTED_MAX = 10_000
"""Constants of one pickle that look like pickles and are judged as such. Origin: honest files hold one a model."""

NESTING_MAX = 6
"""Containers inside containers that are opened. Origin: NeMo and MAR archives nest three deep."""

UNPACKED_BYTES_MAX = 8 * 1024**3
"""Bytes unpacked from one delivered file, in all. Origin: the largest compressed joblib files met are below 4 GiB."""

UNPACKED_RATIO_MAX = 200
"""Unpacked to packed size, applied above UNPACKED_FREE_BYTES. Origin: deflate reaches 1,032; weights rarely pass 20."""

UNPACKED_FREE_BYTES = 128 * 1024 * 1024
"""Unpacked bytes to which the ratio does not apply: an honest array of zeros compresses without bound."""

UNPACKING_FRAMES_MAX = 100_000
"""Frames of one zstd stream. Origin: seekable archives cut every megabyte or so; 100 GB of those."""

UNPACKING_WINDOW_BYTES_MAX = 256 * 1024 * 1024
"""History that an unpacking engine may keep. Origin: four times what xz -9 and 7z at their largest presets use."""

UNPACKED_MEMORY_BYTES = 32 * 1024 * 1024
"""Unpacked bytes held in memory; more goes to an unnamed temporary file."""

ARCHIVE_MEMBERS_MAX = 100_000
"""Members of one archive, and of all archives nested in one file.
Origin: ten times the largest sharded checkpoint met."""

ARCHIVE_DIRECTORY_BYTES_MAX = 64 * 1024 * 1024
"""Central directory of a zip. Origin: ARCHIVE_MEMBERS_MAX entries with long names."""

SAFETENSORS_HEADER_BYTES_MAX = 100_000_000
"""Header of a safetensors file. Origin: the limit of the reference implementation."""

SAFETENSORS_TENSORS_MAX = 200_000
"""Tensors of a safetensors file.
Origin: twice those of the largest mixture-of-experts models, were all in one file; about 350 MB parsed."""

ARCHIVE_CARVED_MAX = 1_000
"""Members found by their headers in an archive without a directory. Origin: a hundred times what hides in one."""

ARCHIVE_CARVED_BYTES_MAX = 1024**3
"""Bytes unpacked of such members. Origin: about ten seconds; what lies after is in the finding on the archive."""

ARCHIVE_OVERLAP_BYTES_FREE = 64 * 1024 * 1024
"""Packed bytes of members that may overlap, beyond the length of the archive. Origin: honest archives have none."""

ARCHIVE_CRC_BYTES_MAX = 64 * 1024 * 1024
"""Members up to this size have their checksum computed; larger ones (tensors) are covered by the file's digest."""

TAR_EXTENDED_BYTES_MAX = 1024 * 1024
"""One extended header of a tar. Origin: names and owners take a few hundred bytes."""

TAR_HOLES_MAX = 20_000
"""Pieces of one sparse member of a tar. Origin: disk images have some thousand; models have none."""

TORCH_TAR_PICKLES_MAX = 100_000
"""Storages or tensors of a PyTorch file before 0.1.10. Origin: a thousand times what models had then."""

TORCHSCRIPT_PARSED_BYTES_MAX = 512 * 1024
"""One source file of a TorchScript archive that is parsed; in a longer one names are searched.
Origin: its tree takes about 150 MB and two seconds; scripted models have some 10 KB a file."""

TORCHSCRIPT_PARSED_TOTAL_MAX = 4 * 1024 * 1024
"""Source of one TorchScript archive that is parsed in all. Origin: about fifteen seconds."""

TORCH_SOURCES_BYTES_MAX = 32 * 1024 * 1024
"""Source files of one TorchScript archive. Origin: ten times the largest met; read in about ten seconds."""

TORCH_MEMBER_BYTES_MAX = 16 * 1024 * 1024
"""A pickle or bytecode of a PyTorch archive that is read a second time for its tensors or operators.
Origin: 100,000 tensors take about 10 MB."""

EXPORT_JSON_BYTES_MAX = 64 * 1024 * 1024
"""The graph of a program of torch.export. Origin: graphs of 20,000 nodes take about 20 MB."""

EXPORT_EXPRESSIONS_MAX = 200_000
"""Symbolic expressions read in such a graph. Origin: ten for each of 20,000 nodes."""

SKOPS_SCHEMA_BYTES_MAX = 64 * 1024 * 1024
"""The schema of a skops archive. Origin: a forest of 1,000 trees, which are arrays beside it, has about 5 MB."""

MANIFEST_JSON_BYTES_MAX = 4 * 1024 * 1024
"""The manifest of a TorchServe archive. Origin: a thousand times those met."""

PROTOBUF_MESSAGES_MAX = 2_000_000
"""Messages (nodes, tensors, attributes) walked in an ONNX file.
Origin: the largest exported graphs have about 100,000 nodes."""

PROTOBUF_NESTING_MAX = 100
"""Nesting of messages. Origin: protobuf's own default limit."""

PROTOBUF_TEXT_BYTES_MAX = 64 * 1024
"""Names and strings read from an ONNX file; longer ones are cut."""

HDF5_OBJECTS_MAX = 2_000_000
"""Objects, messages and attributes followed in an HDF5 file.
Origin: optimizer states of the largest Keras models hold some 10,000 data sets of ten messages each."""

HDF5_NESTING_MAX = 100
"""Groups inside groups of an HDF5 file. Origin: Keras nests models about ten deep."""

HDF5_BLOCK_BYTES_MAX = 256 * 1024 * 1024
"""One block of HDF5 metadata read at once. Origin: a heap with the configuration of a very large model has some MB."""

HDF5_ATTRIBUTE_BYTES_MAX = 64 * 1024 * 1024
"""One attribute. Origin: Keras keeps a whole architecture as JSON in one; the largest have about 10 MB."""

CONFIG_BYTES_MAX = 32 * 1024 * 1024
"""Configuration of Keras beside a graph of TensorFlow, in all, and a graph as text.
Origin: the largest that Keras writes have about 10 MB."""

CONFIG_VALUES_MAX = 2_000_000
"""Lists and objects looked at in one configuration. Origin: a layer takes about 20; the largest models have 10,000."""

MARSHAL_BYTES_MAX = 4 * 1024 * 1024
"""Marshalled code in a Lambda layer. Origin: a function of a thousand lines is below 100 KB."""

FLATBUFFER_TABLES_MAX = 2_000_000
"""Tables opened in one FlatBuffer. Origin: the largest TensorFlow Lite models have some 10,000 tensors and nodes."""

GGUF_KEYS_MAX = 1_000_000
"""Keys, and tensors, of a GGUF file. Origin: a hundred times the largest mixture of experts met."""

GGUF_ITEMS_MAX = 20_000_000
"""Texts in arrays of a GGUF file, in all. Origin: vocabularies, merges and types of 250,000 entries each."""

GGUF_ARRAY_DEPTH_MAX = 8
"""Arrays inside arrays of a GGUF file. Origin: the specification has no limit, and no writer nests two."""

GGUF_TEXT_BYTES_MAX = 4 * 1024 * 1024
"""One text of the metadata that is kept. Origin: the longest chat templates have about 100 KB."""

XML_ELEMENTS_MAX = 10_000_000
"""Elements of a model in XML. Origin: forests of 1,000 trees as PMML have about two million."""

XML_NESTING_MAX = 10_000
"""Elements inside elements of a model in XML. Origin: PMML nests one for each level of a tree; boosters reach 100."""

UBJSON_VALUES_MAX = 20_000_000
"""Values walked in a UBJSON file. Origin: an XGBoost model of 10,000 trees has some 200,000 arrays."""

UBJSON_NESTING_MAX = 100
"""Objects inside objects of a UBJSON file. Origin: XGBoost nests about eight deep."""

MSGPACK_VALUES_MAX = 20_000_000
"""Values walked in a MessagePack file. Origin: the largest Flax models have some 10,000 arrays."""

MSGPACK_NESTING_MAX = 200
"""Maps inside maps of a MessagePack file. Origin: Flax nests a map for each module, about 20 deep."""

R_ITEMS_MAX = 20_000_000
"""Items walked in data of R. Origin: a forest of 1,000 trees has about a million; texts count one by one."""

R_NESTING_MAX = 2_000_000
"""Items of data of R that wait for others. Origin: about 150 MB; R nests lists some ten deep."""

"""Tables opened in one FlatBuffer. Origin: the largest TensorFlow Lite models have 10,000 tensors and operators."""
ONNX_MAIN_NODES_MAX = 500_000
"""Nodes of the main graph of an ONNX model that are looked at for branches. Origin: five times the largest exported."""

PADDLE_TENSORS_MAX = 100_000
"""Tensors in one file of PaddlePaddle's parameters. Origin: a hundred times those of the largest models met."""

SENTENCEPIECE_FIELDS_MAX = 2_000_000
"""Pieces of a vocabulary. Origin: eight times the largest met."""

NUMPY_HEADER_BYTES_MAX = 64 * 1024
"""Header of a .npy file.
Origin: numpy refuses more than 10,000 unless told otherwise; structured types may be longer."""

PYTHON_BYTES_MAX = 8 * 1024 * 1024
"""A Python source that is parsed, in bytes; longer ones are read for words.
Origin: the longest met, generated, is 3 MB; parsing takes 100 times the size in memory."""

PYTHON_FOLD_BYTES_MAX = 1024 * 1024
"""A text or byte string worked out from a Python source. Origin: a payload that fits is a program of its own."""

PYTHON_FOLD_DEPTH_MAX = 150
"""Nesting of expressions that are worked out. Origin: five frames each stay below CPython's recursion limit."""

PYTHON_STEPS_MAX = 2_000_000
"""Steps of working out names and texts of one source; a finding when used up. Origin: about 2 s; honest files of 1 MB
take a tenth."""

PYTHON_PARTS_MAX = 20_000
"""Statements of the top that are parsed one by one where the whole does not parse. Origin: few files have 3,000."""

PYTHON_LEVELS_MAX = 4
"""Programs inside text of programs that are followed (``exec("exec('…')")``). Origin: droppers met nest three deep."""

TEMPLATE_BYTES_MAX = 1024 * 1024
"""One Jinja template, in characters. Origin: the longest chat template met has 20,000."""

TEMPLATE_NESTING_MAX = 120
"""Brackets and blocks inside each other in a template. Origin: chat templates nest 15 deep; Jinja's parser recurses."""

TEMPLATES_MAX = 200
"""Templates of one document that are judged although no word of a way out stands in them; twenty times as many where
one does. Origin: tokenizers have up to ten."""

TEMPLATE_NODES_MAX = 200_000
"""Parts of a template's syntax tree. Origin: twenty times those of the longest chat template met."""

TEMPLATE_ROUNDS_MAX = 1_000_000
"""Rounds of constant loops of a template, nested ones multiplied. Origin: rendered in about a second."""

JSON_MEMORY_BYTES_MAX = 440 * 1024 * 1024
"""Memory that one JSON document may take, reckoned before it is parsed, its text included.
Origin: with the process itself (about 45 MB) below 512 MB; the largest tokenizers come to about 400."""

JSON_FREE_BYTES = 4 * 1024 * 1024
"""JSON up to this size is parsed without reckoning. Origin: the worst takes 52 times its size, 218 MB."""

DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
"""A JSON or YAML document that is parsed whatever its words. Origin: configurations stay below 1 MB."""

DOCUMENT_WHOLE_BYTES_MAX = 64 * 1024 * 1024
"""A JSON document that is parsed because a word of a configuration stands in it.
Origin: twice a tokenizer with the largest vocabulary (35 MB); what it takes in memory has a bound of its own."""

DOCUMENT_VALUES_MAX = 5_000_000
"""Values of one document that are looked at. Origin: the vocabularies of the largest tokenizers have 1.5 million."""

DOCUMENT_EXPANDED_MAX = 1_000_000
"""Values that the aliases of a YAML document may expand to. Origin: honest ones repeat a few dozen."""

NOTEBOOK_CELLS_MAX = 5_000
"""Cells of a notebook. Origin: ten times the longest met."""

SECRETS_BINARY_BYTES_MAX = 1024 * 1024
"""Bytes at the beginning of a pickle that are searched for secrets. Origin: texts stand before arrays in most."""

SECRETS_SEARCHED_BYTES_MAX = 256 * 1024 * 1024
"""Bytes of one text that are searched for secrets. Origin: about a second; longer text is data."""

NOTES_MAX = 20
"""Notes on one file. Origin: what a person reads."""

FINDINGS_PER_RULE_MAX = 50
"""Different findings of one rule kept for one file; more are counted. Repeats of one finding are one finding."""

EVIDENCE_CHARS_MAX = 400
"""Evidence text of one finding, in characters."""

WEIGHTS_CHUNK_ELEMENTS = 1024 * 1024
"""Elements of a tensor read at one time. Origin: 8 MB, and as much again for each step of a comparison."""

WEIGHTS_WINDOW = 65_536
"""Elements in which low bits are looked at together. Origin: one bit of each makes 8,192 bytes, 32 for each bin."""

WEIGHTS_MATRIX_ELEMENTS_MIN = 4096
"""Elements from which two equal or constant matrices tell something. Origin: small ones are often equal by design."""

COMPARED_NAMED_MAX = 1000
"""Files, facts and tensors that a comparison names, of each kind; the number is told. Origin: a readable report."""

JOBS_MAX = 64
"""Processes of one inspection. Origin: each may use 512 MB; more cores than that wait for the disk."""

BASELINE_BYTES_MAX = 4 * 1024 * 1024
"""A baseline file. Origin: BASELINE_ENTRIES_MAX suppressions of about 400 bytes."""

BASELINE_ENTRIES_MAX = 10_000
"""Suppressions of one baseline. Origin: more findings than that are no exception but the rule."""

BASELINE_DAYS_MAX = 400
"""How far ahead a suppression may end, in days. Origin: a yearly review, and a month to do it in."""

BASELINE_DAYS_DEFAULT = 90
"""How far ahead a drafted suppression ends, in days. Origin: a quarter."""

# -- data -----------------------------------------------------------------------------------------
DATA_ROWS_MAX = 16_777_216
"""Rows of one data file. Origin: a manifest in memory takes about 200 bytes a row and its names, so 3.4 GB at most."""

DATA_ROW_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of one row as it stands in the file, and of its canonical form. Origin: an image of 6 MB as base64."""

DATA_CELL_BYTES_MAX = 4 * 1024 * 1024
"""Bytes (characters in CSV) of one cell. Origin: half a row; documents of common text corpora have up to 3 MB."""

DATA_COLUMNS_MAX = 16_384
"""Columns of a table, or distinct members of the rows of a JSONL file. Origin: what common spreadsheets hold."""

DATA_NAME_BYTES_MAX = 1024
"""UTF-8 bytes of one key, source, annotator or column name. Origin: URLs, the longest of these, fit by far."""

DATA_LABEL_SHOWN_BYTES_MAX = 256
"""Canonical bytes of a label that a revealing manifest holds; of longer ones the digest. Origin: a screen line."""

DATA_FILES_MAX = 4_194_304
"""Files of one delivered folder. Origin: four times the largest folder that a figure is promised for."""

DATA_CHUNK_BYTES = 1024 * 1024
"""Bytes of a delivered file that have a hash of their own. Origin: 100 GB then take 6.5 MB of hashes."""

SCREEN_VALUES_MAX = 200_000_000
"""Values of one delivery that is screened, 4 bytes each as they are kept: a number or a pixel is one, a text 16 and a
quarter of its characters, a row's names 16. Origin: 0.8 GB kept, and as much again when columns become one table."""

SCREEN_CLASSES_MAX = 1000
"""Labels of a delivery that is screened. Origin: a vote of 10^5 rows on 1,000 labels takes 0.4 GB."""

MODEL_LABELS_MAX = 200
"""Labels of a model that is screened. Origin: each is searched for a trigger; 200 take minutes for a small model."""

MODEL_VALUES_MAX = 40_000_000
"""Labels × rows × features in one step of a search. Origin: 0.7 GB, with what the step keeps beside."""

MODEL_WEIGHTS_MAX = 50_000_000
"""Weights of a model that is set beside a zoo. Origin: 0.2 GB as 32-bit numbers, one model at a time."""

SCREEN_ROWS_MIN = 40
"""Rows below which a screen has no power at all. Origin: group tests need ten rows of twenty to stand out."""

SCREEN_JSON_BYTES_MAX = 64 * 1024 * 1024
"""A screen's result that is read back. Origin: 1,000 listed rows and hypotheses take under 1 MB."""

REVIEW_PAGE_ROWS = 20
"""Rows on one page of a review. Origin: what a person decides before they save."""

REVIEW_FORM_BYTES_MAX = 512 * 1024
"""What a browser sends of one page. Origin: REVIEW_PAGE_ROWS reasons of 1,000 characters, 12 bytes each as a form."""

REVIEW_TEXT_CHARS = 2000
"""Characters of a listed row that a reviewer is shown. Origin: a screenful; the file has the rest."""

CROISSANT_BYTES_MAX = 64 * 1024 * 1024
"""A Croissant description. Origin: 300,000 file objects of 200 bytes."""

DATA_SPLIT_VIEW_S_MAX = 86_400
"""Seconds within which one address must give all parties the same bytes. Origin: a day; archives do not change."""

DATA_MANIFEST_BYTES_MAX = 4 * 1024 * 1024 * 1024
"""One row manifest on disk. Origin: DATA_ROWS_MAX rows of 250 bytes."""

DATA_UNPACKED_BYTES_MIN = 4 * 1024 * 1024 * 1024
"""Canonical bytes that any Parquet file may unpack to, however small it is. Origin: 3 s of SHA-256 on one core."""

DATA_UNPACKED_RATIO_MAX = 200
"""Canonical bytes that a Parquet file may unpack to, per byte of the file. Origin: ten times common tables."""

PARQUET_FOOTER_BYTES_MAX = 64 * 1024 * 1024
"""The footer of a Parquet file. Origin: 1,000 row groups of 500 columns take about 40 MB."""

PARQUET_PAGE_BYTES_MAX = 64 * 1024 * 1024
"""One page, unpacked. Origin: 64 times the 1 MB that writers aim at; one dictionary page may be several MB."""

PARQUET_PAGES_BYTES_MAX = 1024 * 1024 * 1024
"""The largest page plus the dictionary of every column of a row group, unpacked: what is in memory at one time."""

PARQUET_PAGE_HEADER_BYTES_MAX = 64 * 1024
"""One page header. Origin: two truncated statistics; larger ones carry whole cells and are refused."""

PARQUET_PAGES_MAX = 4_194_304
"""Pages of one file. Origin: four million pages of 1 MB are 4 TB."""

PARQUET_VALUES_MAX = 134_217_728
"""Values of one column chunk (elements of nested columns count). Origin: 170,000 embeddings of 768 numbers."""

DATA_CHANGES_NAMED_MAX = 1000
"""Changed rows that a difference names, per kind of change; the total is always told. Origin: a readable report."""

DATA_GROUPS_NAMED_MAX = 1000
"""Sources, and annotators, that a difference lists with counts; the true number is always told. Origin: as above."""

# -- ledger ---------------------------------------------------------------------------------------
TREE_SIZE_MAX = 2**63 - 1
"""Leaves of one tree. Origin: C2SP tools hold sizes in signed 64-bit integers."""

PROOF_HASHES_MAX = 63
"""Hashes of one Merkle proof. Origin: C2SP tlog-witness; enough for TREE_SIZE_MAX."""

NOTE_BYTES_MAX = 1_000_000
"""One signed note. Origin: golang.org/x/mod/sumdb/note; 100 ML-DSA-87 lines are 620 kB."""

NOTE_LINES_MAX = 100
"""Signature lines of one note. Origin: golang.org/x/mod/sumdb/note; C2SP asks for at least 16."""

ORIGIN_BYTES_MAX = 255
"""An origin or a key name in UTF-8. Origin: C2SP tlog-cosignature, a one-byte length in the ML-DSA-44 message."""

ENTRY_BYTES_MAX = 65_535
"""One ledger entry. Origin: C2SP tlog-tiles, a two-byte length in entry bundles."""

PENDING_BYTES_MAX = 64 * 1024 * 1024
"""Entries acknowledged but not yet in tiles; they are held in memory.
Origin: two million of our leaves; a small node."""

PENDING_ENTRIES_MAX = 262_144
"""Entries acknowledged but not yet in tiles. Origin: 1,024 tiles; about 50 MB of Python objects."""

INTAKE_BYTES_KEPT_MAX = 1024 * 1024
"""An intake whose entries are all in tiles is started anew above this. Origin: replayed in a few milliseconds."""

TILES_CACHED_MAX = 4_096
"""Decoded tiles held by one open ledger, 16 KB each. Origin: all of a tree of 10^6 leaves, 64 MB."""

WITNESS_CLOCK_BACK_S_MAX = 60
"""Seconds by which a witness's clock may lie behind its own last cosignature. Origin: an NTP step is far smaller."""

KEY_FILE_BYTES_MAX = 64 * 1024
"""One key file. Origin: two encrypted PKCS#8 blocks are under 1 KB; an RSA key of another tool under 8 KB."""

SUBJECTS_MAX = 64
"""Subjects of one statement. Origin: a release, its data and a few components; more belongs in a manifest."""

CHARTER_BYTES_MAX = 4 * 1024 * 1024
"""A charter file. Origin: 32 members with 10 keys of 3 KB each is 1 MB, and 32 ratifications of 5 KB."""

CLOCK_AHEAD_S_MAX = 300
"""How far a witness's clock may run ahead of ours, in seconds. Origin: Kerberos and TUF practice."""

PASSPHRASE_BYTES_MAX = 4096
"""A passphrase from a file or descriptor. Origin: longer than anyone types; a wrong file is not read whole."""

TOKEN_BYTES_MAX = 4096
"""A file that holds a door's token. Origin: no header of HTTP that others accept is longer."""

# -- notices ------------------------------------------------------------------------------------
NOTICE_LANE_S = 259_200
"""How long bad news counts that no more operators say than may be dishonest, in seconds.
Origin: docs/protocol.md, section 8; 72 hours, a long weekend in which others can be reached."""

NOTICE_LANE_EVERY_S = 2_592_000
"""One operator's fast lane against one name begins at most once in so many seconds.
Origin: docs/protocol.md, section 8; 30 days, so that one member alone stops a system a tenth of the time at most."""

PACKAGES_KEPT_MAX = 65_536
"""Purls whose package is remembered; each is asked for in every decision on a release. Origin: three of the largest
bills of materials (20,000 components each); some 20 MB of texts of ordinary length."""

# -- policy ---------------------------------------------------------------------------------------
CEDAR_TEXT_BYTES_MAX = 64 * 1024
"""Cedar text given to the engine. Origin: ten times the alliance pack; the engine's own parser has no bound."""

WHAT_IF_STATEMENTS_MAX = 1_000
"""Statements that one what-if file supposes. Origin: five times what the largest release of the figures has."""

FIGURES_PAUSE_S = 60
"""Between two makings of a serving node's slow figures, in seconds. Origin: at 100,000 statements one takes seconds."""

FIGURES_AGE_S = 600
"""How old slow figures get although nothing changed, in seconds. Origin: times pass; days are what they count."""

LAPSE_DAYS = 30
"""Days that the status page looks ahead. Origin: a month, the shortest age that the shipped packs ask of evidence."""

STATUS_MOMENTS_MAX = 500
"""Moments ahead that the status page tries for one use. Origin: 50 statements, each in ten rows."""

MISSING_TRIED_MAX = 20_000
"""Sets of operators tried for the smallest that supplies what is missing. Origin: all subsets of 14 operators."""

CEDAR_NESTING_MAX = 64
"""Brackets inside brackets in Cedar text. Origin: the engine was seen to crash at about 700 parentheses."""

CEDAR_PATH_MAX = 8
"""Attributes of one path in Cedar text. Origin: the schemas need three; of 2,000 in a `has` the engine makes 1.8 GB."""

CEDAR_CHAIN_MAX = 512
"""Arithmetic operators, and `if`s, in Cedar text. Origin: some 2,000 `if`s and 4,000 operators crash the engine."""

AMENDMENT_DELAY_S_MAX = 10 * 366 * 86_400
"""Seconds between ratifying a change of the rules and its effect. Origin: longer than the systems that it is about."""

CONDITIONS_MAX = 64
"""Conditions of one row or red line. Origin: the engine's evaluator gives up on chains of some 2,000 terms."""

CHECK_PLACES_MAX = 12
"""Statements of one kind that a check of rules tries for one rule. Origin: three times what the alliance pack asks."""

CHECK_RULES_MAX = 400
"""Rules that are checked together. Origin: six times the alliance pack with 50 caveats; pairs grow as the square."""

CHECK_QUESTION_S_MAX = 2.0
"""Seconds that the solver may spend on one question. Origin: a thousand times what one of the alliance pack takes."""

CHECK_S_MAX = 120.0
"""Seconds after which a check of rules asks no further question. Origin: twelve times the promise for 50 caveats."""

CONDITION_LISTS_MAX = 8
"""Lists inside lists in a condition's value, in a table that people edit. Origin: the grammar needs one."""

COMPARE_MEMBERS_MAX = 64
"""Positions compared at once. Origin: twice the members of the largest alliance there is."""

COMPARE_VERSIONS_MAX = 20_000
"""Steps taken for one row's versions. Origin: 12 members who all differ on four scales; a second of work."""

COMPARE_RIVALS_MAX = 200
"""Pairs of rows that are instead of each other. Origin: each of ten members replaces every row of the alliance pack."""

COMPARE_WORK_MAX = 10_000_000
"""Rows weighed in the search for the largest table that passes. Origin: five seconds; past it the answer says so."""

ACT_RULES_MAX = 10_000
"""Rules about actions that a gate applies. Origin: fifty members with one full caveat each."""

ACT_SLICES_MAX = 256
"""Tools whose rules a gate keeps compiled. Origin: three times the tools of AgentDojo's four suites."""

FREE_CASES_MAX = 4_096
"""Requests that a free policy is tried with. Origin: half a second; four fields with a handful of texts."""

CAVEATS_KEPT_MAX = 256
"""Caveats, and charters, kept read and compiled. Origin: 32 members with a handful of caveats, under a few charters."""

POLICY_FILE_BYTES_MAX = 64 * 1024
"""A use-case file or a pack. Origin: eight times the alliance pack."""

TOML_LINE_DOTS_MAX = 256
"""Dots in one line of TOML. Origin: the parser is quadratic in a dotted key, 16 s for one of 60 KB; prose has a few."""

# -- report ---------------------------------------------------------------------------------------
REPORT_FINDINGS_MAX = 200
"""Findings that a page shows, worst first; the true number is told.
Origin: as many as an inspection statement holds."""

REPORT_FILES_MAX = 500
"""Files that a page lists, worst first; the true number is told. Origin: ten printed pages."""

REPORT_COMPONENTS_MAX = 300
"""Components of a bill of materials that a page lists; the true number is told. Origin: six printed pages."""

# -- node and bundles -----------------------------------------------------------------------------
BODY_BYTES_MAX = 16 * 1024 * 1024
"""One body: an envelope (ENVELOPE_BYTES_MAX), a receipt or an attachment.
Origin: a full CycloneDX bill is below 10 MB."""

BUNDLE_BYTES_MAX = 64 * 1024 * 1024
"""One bundle. Origin: 100,000 leaves take 5 MB, the rest is bodies; parsed and re-encoded in about 3 s and 300 MB."""

BUNDLE_BODIES_BYTES_MAX = 40 * 1024 * 1024
"""Bodies that an export puts into one exchange file, in bytes before base64; the rest follows with the next one."""

NOTES_KEPT_MAX = 8
"""Heads of one ledger kept while they gather cosignatures.
Origin: a publication every three hours of a day's rounds."""

MISSING_RANGES_MAX = 10_000
"""Ranges of leaves without bodies that an exchange file names.
Origin: 1 MB of text; the next file names the next ones."""

# -- ledger, witness ------------------------------------------------------------------------------
WITNESS_REQUEST_BYTES_MAX = NOTE_BYTES_MAX + 4_096
"""One add-checkpoint request. Origin: a note, and 63 lines of 45 bytes with the old size before it."""

# -- ledger over HTTP -----------------------------------------------------------------------------
CHECK_PART_BUNDLES = 256
"""Bundles checked by one process at a time, and the step in which a check that was cut short goes on.
Origin: 65,536 entries, half a second without their bodies."""

CHECK_RESUME_S_MAX = 86_400
"""After this many seconds a check that was cut short begins anew. Origin: a disk may have changed in a day."""

SPLITS_KEPT_MAX = 16
"""Equivocations kept of one ledger. Origin: one convicts; a thief who signs a thousand must not fill the disk."""

FETCH_S_MAX = 30.0
"""One request to another node, from connecting to its last byte, in seconds. Origin: 8 MB over 3 Mbit/s."""

FETCH_RUN_BYTES_MAX = 1024 * 1024 * 1024
"""What one peer may make us read in one run, in bytes. Origin: a ledger of 10^6 leaves with its tiles is 50 MB."""

FETCH_HEADS_BYTES_MAX = 2 * NOTE_BYTES_MAX
"""The heads kept of one ledger. Origin: nine notes with the lines of 32 witnesses are 1.1 MB."""

PULL_TOGETHER_MAX = 16_384
"""New leaves of one ledger that are verified together, by the root alone. Origin: 64 bundles, 600 KB of our leaves;
more are verified bundle by bundle through the tiles above them, and a run that was cut short goes on where it was."""

PULL_LEAVES_MAX = 16_777_216
"""New leaves taken of one ledger in one run. Origin: a level-2 tile; the hashes kept meanwhile are 2 MB."""

PULL_WORKERS_MIN = 256
"""Bundles from which on a pull is shared between processes. Origin: starting one costs as much as some 100 bundles."""

BODIES_ASKED_MAX = 1_000
"""Bodies that one request asks for. Origin: 72 KB of text."""

BODIES_ANSWERED_BYTES_MAX = 6 * 1024 * 1024
"""Bodies in one answer, in bytes before base64; the rest is asked for again. Origin: FETCH_S_MAX at 3 Mbit/s."""

BODIES_ANSWER_BYTES_MAX = 48 * 1024 * 1024
"""One answer with bodies, as text. Origin: one body of BODY_BYTES_MAX after the limit was nearly reached, in base64."""

DEMAND_BYTES_MAX = 128 * 1024
"""One signed request for bodies. Origin: BODIES_ASKED_MAX commitments and a signature of 3.4 KB."""

DEMAND_ROUNDS_MAX = 64
"""Requests for bodies to one peer in one run. Origin: 64,000 bodies; the next run asks for the next ones."""

SIGNATURES_SHARED_MIN = 1_000
"""Bodies from one peer, from which on their signatures are verified by two processes. Origin: half of them take one
process a quarter of a second, as long as starting one."""

SIGNATURES_PART = 256
"""Signatures that one process verifies at a time. Origin: some 0.15 s."""

VERIFIED_BYTES_MAX = 64 * 1024 * 1024
"""The memory of verified signatures. Origin: 2 million of 32 bytes; later ones are verified by each command."""

SERVE_CONNECTIONS_MAX = 256
"""Connections that ``serve`` holds at a time; more are told to come again. Origin: a quarter of usual open files."""

SERVE_HEAD_S_MAX = 10.0
"""From a connection's first byte to the end of a request's head, in seconds. Origin: far above any honest network."""

SERVE_REQUEST_S_MAX = 30.0
"""From a request's head to the last byte of its answer, in seconds. Origin: as FETCH_S_MAX."""

SERVE_BODIES_TOGETHER_MAX = 4
"""Requests for bodies answered at a time; others wait. Origin: memory, about 100 MB for each at the limits."""

TLS_LOOK_DAYS = 30
"""Days before a certificate lapses at which ``doctor`` says so. Origin: automatic ones live for 90, and are renewed
with a third left: one with less was not."""

TLS_ILL_DAYS = 7
"""Days before it lapses at which it is ill. Origin: a holiday with its weekends."""

TLS_PEM_BYTES_MAX = 1_048_576
"""A file of certificates. Origin: a hundred times a usual chain."""

# -- catalog ------------------------------------------------------------------------------------------
CATALOG_TEXT_BYTES_MAX = 1_000
"""A text in a catalog's tables, in UTF-8 bytes; longer ones end in their digest.
Origin: two of them stay below the 2,704 bytes that PostgreSQL takes into an index."""

CATALOG_BATCH = 2_000
"""Statements and components taken in at a time. Origin: some 2 MB of rows."""

CATALOG_CASES_KEPT_MAX = 1_000
"""Use cases remembered while a catalog is filled. Origin: an alliance has some dozens; a thousand take 10 MB."""

CATALOG_NAMES_KEPT_MAX = 20_000
"""Short names and lines of bills whose rows are remembered. Origin: 30 MB of the longest; popular ones are fewer."""

CATALOG_THINGS_KEPT_MAX = 500_000
"""Components, models and the like whose rows are remembered while a catalog is filled. Origin: about 200 MB."""

CATALOG_PAGE_MAX = 500
"""Rows of one list on one page. Origin: more are not read; what is left out is counted."""

DOCUMENT_OBJECTS_MAX = 500_000
"""Objects in one bill's document that a catalog reads; of a larger one it reads none. Origin: a bill of 25,000 files
has some 100,000; half a million take 100 MB of memory."""

CATALOG_WAIT_S_MAX = 60.0
"""How long one waits for another that fills the same catalog, in seconds. Origin: a rebuild of a million statements."""

CATALOG_CACHE_BYTES = 64 * 1024 * 1024
"""What SQLite keeps of a catalog in memory, and PostgreSQL may take to sort. Origin: the pages that one question over
10 million edges reads."""

# -- exposure -------------------------------------------------------------------------------------
EXPOSURE_COUNT_MIN = 5
"""Uses from which on their number is told to other members. Origin: the least cell that statistical offices publish."""

EXPOSURE_ASKED_MAX = 1_000
"""Names in one question to other members. Origin: the packages of a large advisory, with their versions."""

EXPOSURE_DEPTH_MAX = 200
"""Steps from what falls to what is hit. Origin: a base model's base model is four steps away; chains met have ten."""

CONCENTRATION_EDGES_MAX = 2_000_000
"""Parts of releases that are looked at for the smallest set. Origin: 20,000 uses with 100 each; some 500 MB."""

CONCENTRATION_STEPS_MAX = 300_000
"""Steps of the search for the smallest set. Origin: about a second."""

OSV_BYTES_MAX = 16 * 1024 * 1024
"""One file of advisories. Origin: the largest single advisory met has 3 MB, nearly all of it listed versions."""

OSV_FILES_MAX = 300_000
"""Advisories in one folder. Origin: three times the whole of the largest ecosystem's published advisories."""

VERSION_CHARS_MAX = 256
"""Characters of a version that is compared. Origin: npm's own limit."""

# -- record ---------------------------------------------------------------------------------------
CARD_BYTES_MAX = 1024 * 1024
"""A model card or configuration file read for what it tells. Origin: the longest cards met have 200 KB."""

CARD_FRONT_LINES_MAX = 2_000
"""Lines of a card's front matter. Origin: evaluation tables in it reach some 1,000 lines."""

CARD_VALUES_MAX = 256
"""Values of one key of a card. Origin: lists of training data sets reach about 60."""

CARD_VALUE_CHARS_MAX = 200
"""Characters of one value of a card. Origin: model and data set names have at most 193 on public hubs."""

STATEMENT_FINDINGS_MAX = 200
"""Findings that an inspection statement lists, worst first. Origin: docs/protocol.md, section 4."""

STATEMENT_COMPONENTS_MAX = 10_000
"""Components that a bill-of-materials statement lists.
Origin: 10,000 of about 250 bytes stay below ENVELOPE_BYTES_MAX."""

STATEMENT_ANNOTATORS_MAX = 50
"""Annotators that a data-screening statement lists, most changed first. Origin: docs/protocol.md, section 4."""

STATEMENT_TEXT_CHARS_MAX = 1_000
"""Characters of one message or path in an inspection statement. Origin: 200 findings stay below 1 MB."""

# -- guard ----------------------------------------------------------------------------------------
KUBERNETES_REVIEW_BYTES_MAX = 8 * 1024 * 1024
"""One AdmissionReview. Origin: an object and what it was before, each at most the 3 MiB that the API server takes."""

KUBERNETES_FILES_MAX = 100_000
"""Papers in the folder of the webhook. Origin: 10,000 images, ten files each; listing them takes 0.3 s."""

GUARD_MEMORY_BYTES_MAX = 4 * 1024**3
"""A file that is held in sealed memory; a larger one is held in a folder. Origin: half of a small server's memory."""

GUARD_COPY_BYTES = 16 * 1024 * 1024
"""One call of the copy into the hold, in bytes. Origin: an interruption is noticed within milliseconds."""

# -- gate -----------------------------------------------------------------------------------------
ACTION_BYTES_MAX = 65_536
"""One action, as it came in and in its canonical form. Origin: docs/protocol.md, section 9."""

MANDATE_RULES_MAX = 256
"""Rules of one mandate.
Origin: ten times the tools of the largest tool server met; more cannot be read before signing."""

AUTHZEN_BYTES_MAX = 256 * 1024
"""One request to the AuthZEN door. Origin: a batch of AUTHZEN_EVALUATIONS_MAX with 2 KB each."""

AUTHZEN_EVALUATIONS_MAX = 100
"""Evaluations of one batch. Origin: each that is permitted is a receipt, at 1 ms a tenth of a second together."""

AUTHZEN_PAGE_MAX = 1_000
"""Results on one page of a search. Origin: with names of 100 bytes, 100 KB."""

AUTHZEN_CANDIDATES_MAX = 2_000
"""What one search asks the gate, and what it looks at of one rule. Origin: at 0.3 ms each, below a second."""

AUTHZEN_REQUESTABLE_S = 600
"""Seconds for which a denial can be requested. Origin: a person who is asked whether to ask; the draft says minutes."""

OVERSIGHT_PEOPLE_MIN = 3
"""People in a pool of approvers of which allies are told anything. Origin: of one or two it would be about a person."""

PROBES_PER_1000_MAX = 200
"""Vigilance probes among 1,000 holds. Origin: at one in five, finding them would be the work, not the actions."""

PROBES_MAX = 500
"""Probes of one plan. Origin: five times PROBES_TELLING; what comes twice is remembered."""

PROBE_DELAY_S_MAX = 300
"""Seconds after the hold that it follows within which a probe is shown. Origin: half of a usual hold, so that both are
answered by the same watch."""

PROBE_LATE_S = 600
"""Seconds after its time for which a probe may still be shown; then it is dropped. Origin: twice the delay."""

PROBE_QUEUE_MAX = 10
"""Waiting actions from which on no probe is added. Origin: ten minutes of work for one person, at one a minute."""

PROBES_TELLING = 100
"""Vigilance probes from which one person can be told from another.
Origin: Buser 2025, 728 screeners in 4 years: reliability 0.7 takes about 100 drills where under 9 in 10 are caught."""

HOLDS_WAITING_MAX = 1_000
"""Actions that wait for people at one gate; more are denied. Origin: hours of work for any pool of approvers."""

REQUEST_BYTES_MAX = 12 * ACTION_BYTES_MAX
"""A held action as a file for an approver. Origin: the action, and its text, where escapes take nine bytes for one."""

DESK_FILES_MAX = HOLDS_WAITING_MAX
"""Held actions of other gates, and answers, that lie on a node's desk. Origin: HOLDS_WAITING_MAX."""

PASSKEY_ANSWER_BYTES_MAX = 65_536
"""What a browser sends of a credential, in bytes. Origin: an attestation with three certificates has some 6,000."""

PASSKEY_ASKED_S = 600
"""How long a challenge for a new passkey is good, in seconds. Origin: time to find the device and set its PIN."""

PASSKEYS_ASKED_MAX = 64
"""Challenges for new passkeys at a time; the oldest goes. Origin: more than one member registers in a morning."""

PASSKEYS_MAX = 16
"""Passkeys and cards of one person. Origin: two devices at home and two at work, each replaced three times."""

CREDENTIAL_BYTES_MAX = 1_023
"""A passkey's credential id, in bytes. Origin: WebAuthn Level 3, section 4."""

AUTHENTICATOR_DATA_BYTES_MAX = 1_024
"""What an authenticator signs about itself, in bytes. Origin: 37, and extensions that nobody here asks for."""

CLIENT_DATA_BYTES_MAX = 2_048
"""What a browser says it was asked for, in bytes. Origin: Chromium writes some 250, with an origin of 253."""

TOOL_CARDS_BYTES_MAX = 512 * 1024
"""The cards of one server, in bytes. Origin: the largest tool server met has 120 tools of some 2 KB a card."""

TOOL_CARDS_MAX = 512
"""Cards of one server. Origin: four times the largest tool server met."""

TOOL_CARD_NAMES_MAX = 64
"""Arguments that a card drafts, and words in one list of a card. Origin: the widest tool schema met has 40."""

SAID_CHARS_MAX = 65_536
"""One instruction of a person, in characters. Origin: a long brief of some 30 pages; it is searched once per value."""

SESSION_VALUES_MAX = 50_000
"""Values of which a session remembers a clean origin; what comes after has none.
Origin: a mailbox of 5,000 mails with ten fields each; some 10 MB."""

SESSION_ENDORSEMENTS_MAX = 1_000
"""Values and calls that people vouch for in one session. Origin: more than anybody reads in one."""

SESSION_UNTRUSTED_CHARS_MAX = 200_000
"""Characters of untrusted text that a session keeps to say where a value was read; more is only counted as read.
Origin: searched once for each refused value, in 0.1 ms."""

MCP_ANSWER_S_MAX = 30.0
"""For an MCP server to start and list its tools, in seconds. Origin: one that npx fetches first takes some 15."""

MCP_LINE_BYTES_MAX = 8 * 1024 * 1024
"""One message of an MCP server, in bytes. Origin: four times the largest tools/list met."""

MCP_PAGES_MAX = 64
"""Pages of one tools/list. Origin: TOOL_CARDS_MAX in pages of eight."""

MCP_END_S = 2.0
"""For an MCP server to end once its input is closed, and again once it is told to, in seconds. Origin: as its SDKs."""

MCP_PENDING_MAX = 256
"""Requests under way in one MCP conversation, in each direction. Origin: an agent runs some ten tools at a time."""

MCP_CALL_S_MAX = 600.0
"""For a tool to answer, in seconds; then its outcome is unknown. Origin: builds and searches that take minutes."""

MCP_SESSIONS_MAX = 256
"""Conversations of one MCP door over HTTP; the longest unused ends. Origin: as SERVE_CONNECTIONS_MAX."""

MCP_REMEMBERED_MAX = 4_096
"""Things that one MCP conversation remembers of a kind: resources listed, input asked for. Origin: a megabyte."""

UPSTREAM_CONNECT_S_MAX = 10.0
"""To reach the server behind an MCP door, in seconds. Origin: far above any honest network."""

UPSTREAM_IDLE_MAX = 16
"""Connections kept open to the server behind an MCP door. Origin: an agent runs some ten tools at a time."""

GATE_IDLE_S = 0.5
"""A door without a question gives its node back after this, in seconds. Origin: an agent's pause between calls."""

SHARED_CONNECT_S_MAX = 5
"""Seconds in which the database of a shared record must take a connection. Origin: a server on the same site does in
milliseconds; a caller of the gate waits no longer than this to be denied."""

SHARED_WAIT_S_MAX = 10
"""Seconds for which a process waits for its turn at a shared record. Origin: twice SHARED_IDLE_S_MAX, so that one that
hangs in its turn has lost it by then."""

SHARED_IDLE_S_MAX = 5
"""Seconds for which a process may think in its turn at a shared record. Origin: a decision takes under a millisecond,
the largest batch of them 0.1 s; whoever is silent for longer is stopped or cut off."""

SHARED_PAUSE_S = 0.5
"""Seconds for which a process does not ask again a database that was away. Origin: a restart takes a second or more;
all who ask meanwhile are denied at once, and do not wait for a connection each."""

SHARED_PAGE = 1_000
"""Receipts read or written at once. Origin: at up to 20 KB each they stay within 20 MB."""

SHARED_BATCH_MAX = 64
"""Decisions in one turn at a shared record. Origin: 64 at 0.5 ms are 32 ms, for which the other processes wait."""

GATE_LENT_S_MAX = 5.0
"""For which a busy door keeps its node at a stretch, in seconds. Origin: half of NODE_LOCK_WAIT_S_MAX."""

SHADOW_LINES_MAX = 1_000
"""Calls that a shadow report lists. Origin: more than anybody reads; the rest is counted."""

RESULT_BYTES_MAX = 16 * 1024 * 1024
"""What a tool returned, in bytes; more is one untrusted text. Origin: four times the largest mailbox page met."""

CLOCK_JUMP_S_MAX = 60
"""Seconds by which wall clock and monotonic clock of a running gate may part. Origin: as WITNESS_CLOCK_BACK_S_MAX."""

BILL_FILES_MAX = 25_000
"""Files that a bill of materials lists, models first. Origin: 25,000 of about 500 bytes stay below BODY_BYTES_MAX."""

PKCS11_SLOTS_MAX = 64
"""Slots of a PKCS#11 library that are looked at. Origin: a large partitioned HSM shows some 30."""

ROOT_KEYS_MAX = 16
"""Root keys of one member. Origin: more holders than any ceremony seen; TUF roots have five."""

SPOKEN_GROUPS = 12
"""Groups of five digits that are read aloud. Origin: 199 bits, so that not even a drafter finds two charters that sound
alike (2^99 tries); Signal's safety numbers have as many."""

JOIN_VOICES_MIN = 2
"""Members of distinct operators who read a charter's digits to a newcomer. Origin: one liar, and one who is none."""

UNREAD_KINDS_TOLD_MAX = 8
"""Kinds that a node names which it does not know; whoever reads one of them upgrades. Origin: a line for each."""

DOCTOR_LEAVES_MAX = 500
"""Newest leaves of each ledger that are looked through for kinds that are not known here. Origin: under a second."""

PEOPLE_TEXT_MAX = 500
"""Characters of a name, a contact or a reason that is kept on a person. Origin: a line of a form."""

PEOPLE_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of what is kept on persons. Origin: some 4,000 people with the longest texts."""

PEOPLE_DAYS_MAX = 36_500
"""Days for which a name may be kept. Origin: a century; longer is no rule."""

UPDATE_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of a signed update, and of what is installed of it. Origin: UPDATE_NAMES_MAX names, and documents."""

UPDATE_NAMES_MAX = 50_000
"""Names in one table of an update. Origin: thirty times those that the release denies."""

UPDATE_TEXTS_MAX = 64
"""Norms, and packs, in one update. Origin: sixteen times those that are shipped."""

UPDATE_HISTORY_MAX = 1_000
"""Installations and removals that are remembered. Origin: one a day for three years."""

CEREMONY_FILES_MAX = 1_000
"""Files of one sort in a ceremony's folder, and things heard that a home keeps. Origin: COMPARE_MEMBERS_MAX members
with ROOT_KEYS_MAX keys each."""

NODE_LOCK_WAIT_S_MAX = 10.0
"""How long a command waits for another process that writes the same node, in seconds. Origin: an exchange takes 2."""

LOCK_WAIT_S_MAX = 20.0
"""How long a process waits for a lock that any may take for a moment, in seconds. Origin: such a moment is a few
syncs; on the slowest disk a second. Whoever holds one for longer is stopped, and the others must be told."""

LOCK_PAUSE_S = 0.001
"""Between two tries for such a lock, in seconds. Origin: below one sync of most disks."""

NODE_LOCK_BYTES_MAX = 64
"""Of a writer's lock file. Origin: a process id and a count."""

LEASE_BEAT_S = 1.0
"""How often a writer gives a sign of life, in seconds. Origin: eight of them in LEASE_S."""

LEASE_S = 8.0
"""After how many silent seconds a writer is taken over from. Origin: below NODE_LOCK_WAIT_S_MAX, so that whoever waits
for a hung writer gets his turn; a busy machine delays a sign of life by a second or two."""

NODE_LOCK_PAUSE_S = 0.02
"""Between two tries for the writer's lock, in seconds. Origin: short beside what a person notices."""

LABEL_BYTES_MAX = 65_536
"""Bytes of a confidentiality label as XML. Origin: public examples have some 1,000; with 200 nations named, 10,000."""

ENDPOINT_QUESTIONS_MAX = 100
"""Canaries of one endpoint. Origin: asked three times at 2 s each, ten minutes; the statement holds 15 KB."""

ENDPOINT_TRIES_MAX = 10
"""How often one canary question is asked. Origin: what differs once in ten is no canary, and every try costs money."""

ENDPOINT_QUESTION_BYTES_MAX = 65_536
"""Bytes of one canary question. Origin: a page of text and a small picture in base64."""

ENDPOINT_QUESTIONS_BYTES_MAX = 8 * 1024 * 1024
"""Bytes of a file of questions. Origin: ENDPOINT_QUESTIONS_MAX long ones, with room for blank lines."""

ENDPOINT_ANSWER_BYTES_MAX = 1024 * 1024
"""Bytes of one answer. Origin: a long chat answer has 20 KB; what is longer is no canary."""

ENDPOINT_S_MAX = 120.0
"""One question, from connecting to the last byte of its answer, in seconds. Origin: slow models think that long."""

ENDPOINT_RUN_S_MAX = 3600.0
"""All questions of one run, in seconds. Origin: ENDPOINT_QUESTIONS_MAX, three times, at twelve seconds each."""

# -- the console ------------------------------------------------------------------------------------

CONSOLE_SESSION_S = 8 * 3600
"""A session ends so long after signing in, in seconds. Origin: a shift, and OWASP's upper value."""

CONSOLE_IDLE_S = 30 * 60
"""And so long after its last page. Origin: OWASP's 15 to 30 minutes for what is of middling risk."""

CONSOLE_FRESH_S = 300
"""What writes asks for a signing in no older than this. Origin: time to read a page and press its button."""

CONSOLE_LINK_S = 600
"""How long a link from the terminal signs in, in seconds; once. Origin: time to carry it to the browser."""

CONSOLE_SESSIONS_MAX = 256
"""Sessions at a time; the one unused for longest goes. Origin: more than one member has people at work."""

CONSOLE_SIGN_INS_PER_MINUTE = 10
"""Attempts to sign in from one address. Origin: one mistypes a PIN three times; tokens have 128 bits anyway."""

CONSOLE_PAGES_PER_MINUTE = 600
"""Pages of one address or session. Origin: ten a second is a program that reads twins; more is a flood."""

CONSOLE_FORM_BYTES_MAX = 256 * 1024
"""One form, in bytes. Origin: a charter of 50 members, pasted to be compared."""

CONSOLE_FIELDS_MAX = 20
"""Fields of one form. Origin: twice the largest form there is."""

CONSOLE_UPLOAD_BYTES_MAX = ENVELOPE_BYTES_MAX + 64 * 1024
"""A form with a statement that was signed elsewhere, in bytes. Origin: one envelope, and what is around it."""

CONSOLE_ROWS = 100
"""Rows of a long table on one page. Origin: some four screens."""

LOOKS_BYTES_MAX = 16 * 1024 * 1024
"""One file of recorded looks, in bytes; then the next begins. Origin: some 60,000 looks, read in a second."""

LOOKS_ANCHOR_MINUTES = 60
"""Between two heads of the looks that ``serve`` anchors, in minutes. Origin: what nobody may rewrite unseen is at most
a working hour old, and a node where people look all day long says some 10 statements a day for it."""

LOOKS_ANCHOR_MINUTES_MAX = 360
"""The longest that can be asked for, in minutes. Origin: half of LOOKS_OVERDUE_S."""

LOOKS_RETRY_S = 60
"""After a head of the looks could not be anchored, in seconds. Origin: another process writes for seconds at most."""

LOOKS_OVERDUE_S = 12 * 3600
"""How old a look under no head gets before ``doctor`` and an alert say so, in seconds. Origin: twice the longest
interval, so that one failure is none."""

# -- evaluate -------------------------------------------------------------------------------------
EVALUATION_INSTANCES_MAX = 1_000_000
"""Instances of one evaluation. Origin: ten times the largest public test sets of classifiers."""

EVALUATION_PLAN_BYTES_MAX = 256 * 1024
"""A plan as TOML. Origin: the longest of ours has 2 KB; a plan may list payloads of its own."""

EVALUATION_SEEDS_MAX = 100
"""How often one instance is attacked with fresh randomness. Origin: AutoAttack restarts 5 times; each costs as much."""

EVALUATION_EOT_MAX = 100
"""Questions for one mean gradient. Origin: AutoAttack asks 20 times where a subject answers at random."""

SANDBOX_FILES_MAX = 512
"""Files that a confined process has open at once. Origin: a deep-learning framework that loads maps some 200."""

SANDBOX_ATTEMPTS_MAX = 100
"""Attempts at what a sandbox forbids that are kept. Origin: one is a finding; more only show a habit."""

SANDBOX_MEMORY_BYTES_MAX = 16 * 1024**3
"""Address space of a confined process. Origin: PyTorch reserves some 4 GB before a model is loaded."""

SUBJECT_START_S_MAX = 180.0
"""Until a subject has loaded, in seconds. Origin: large frameworks take 20 s on a slow disk."""

SUBJECT_ANSWER_S_MAX = 120.0
"""One batch, from question to answer, in seconds. Origin: as for a question to an endpoint."""

SUBJECT_MESSAGE_BYTES_MAX = 256 * 1024 * 1024
"""One message to or from a subject. Origin: a batch of 256 images of 224 x 224 x 3 in 32-bit floats has 154 MB."""

SUBJECT_CPU_S_MAX = 24 * 3600
"""CPU time of a subject's process. Origin: a day; longer runs are cut into plans."""

EVALUATION_DATA_BYTES_MAX = 2 * 1024**3
"""The data of one evaluation, in bytes in memory. Origin: 10,000 pictures of 224 x 224 x 3 bytes have 1.5 GB."""

EVALUATION_FILE_BYTES_MAX = 16 * 1024 * 1024
"""One file of a data set of files. Origin: what a file-type gate meets in mail."""

EDIT_CANDIDATES_MAX = 10_000
"""Edits tried on one instance, kept or not. Origin: ten times the budget of published black-box attacks on texts."""

EDIT_REPEATS_MAX = 100
"""Edits in a row that were tried before, after which there are no others. Origin: a word of three letters has 20."""

EVALUATION_BATCH = 128
"""Instances asked at once. Part of a run: sums in another order differ in their last digit, so it is never tuned."""

EVALUATION_TROUBLE_MAX = 5
"""Instances in a row without an answer after which a run ends. Origin: a subject that is gone answers none."""

EVALUATION_PROBE_MAX = 64
"""Instances on which sanity flags are computed. Origin: a share of one in ten shows in 64 with a chance of 99.9 %."""

EVALUATION_EXAMPLES_MAX = 3
"""Examples before and after that a report keeps. Origin: a row of a page."""

EVALUATION_PICTURED_BYTES_MAX = 32 * 2**20
"""Bytes of an attached report that pictures are drawn from. Origin: 100,000 rows of some 300 bytes."""

SPONGE_FLOOR_S = 0.001
"""What an instance costs at least when costs are compared, in seconds. Origin: a question and its answer through the
pipe cost a tenth of it; a ratio of less says nothing."""

REPORT_PICTURED_MAX = 5
"""Evaluations whose pictures the page of a decision has, the newest. Origin: each is a screen."""

EVALUATION_LABELS_SHOWN_MAX = 40
"""Labels that a page shows, the most fallen first. Origin: what is looked at; the rest stands in the report."""

EVALUATION_EXAMPLE_NUMBERS_MAX = 3 * 64 * 64
"""Numbers of one example that a report keeps. Origin: a picture of 64 x 64 in three colours; larger ones are left
out."""

# -- reports of other tools --------------------------------------------------------------------------

IMPORT_CPU_S_MAX = 600
"""CPU time of a confined reader of a report. Origin: 1 GiB of lines takes 13 s at the rate of 22 MB; 40 times
that."""

IMPORT_BYTES_MAX = 32 * 1024 * 1024
"""Bytes of a report that is one document. Origin: promptfoo's output of 5,000 long answers has some 25 MB."""

IMPORT_LINES_BYTES_MAX = 1024 * 1024 * 1024
"""Bytes of a report that is read line by line, or sample by sample. Origin: a full garak run writes some 200 MB."""

IMPORT_LINE_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of one line or sample of it. Origin: a long conversation with its log has 1 MB."""

IMPORT_OBJECTS_MAX = 1_000_000
"""Brackets in one document of a report. Origin: CPython takes up to 232 bytes for each; 232 MB are affordable."""

IMPORT_ROWS_MAX = 200_000
"""Results, findings or numbers of one report. Origin: ten times the largest suites of prompts."""

IMPORT_TEXT_MAX = 1_000
"""Characters of a text that is kept from a report. Origin: a paragraph; the report itself is named by its digest."""

IMPORT_STATEMENTS_MAX = 200
"""Evaluations signed from one report. Origin: garak has some 150 probes; each is one statement."""

# -- accounts ----------------------------------------------------------------------------------------

TRACE_LINKS_MAX = 200_000
"""Links that one trace follows; the rest are counted. Origin: twice 10^5, and some 20 s."""

TRACE_INDENT_MAX = 20
"""Steps by which a line of a trace is set in; a deeper one tells its depth. Origin: what a terminal shows."""

TRACE_DRAWN_MAX = 120
"""Parts that the picture of a trace draws; the table beside it has all. Origin: what a finger can follow."""
