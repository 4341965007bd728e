"""What TensorFlow's operators do beyond computing. Data; names as TensorFlow 2.21 registers them.

``tensorflow_ops.txt`` lists every operator of that version, from its own registry, one a line. Operators of the
libraries that published models commonly need stand here: they are native code too, but known.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_WRITES_TEXT = """
    WriteFile SaveDataset SaveDatasetV2 DatasetToTFRecord ExperimentalDatasetToTFRecord SnapshotDataset
    SnapshotDatasetV2 SnapshotChunkDataset CreateSummaryFileWriter CreateSummaryDbWriter DebugIdentity DebugIdentityV2
    DebugIdentityV3 DumpTensor DistributedSave FileSystemSetConfiguration
"""
_READS_TEXT = """
    ReadFile MatchingFiles MatchingFilesDataset ExperimentalMatchingFilesDataset WholeFileReader WholeFileReaderV2
    TextLineReader TextLineReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2
    LMDBReader LMDBDataset ExperimentalLMDBDataset SqlDataset ExperimentalSqlDataset LoadDataset TextLineDataset
    FixedLengthRecordDataset FixedLengthRecordDatasetV2 TFRecordDataset TFRecordDatasetV2 CSVDataset CSVDatasetV2
    ExperimentalCSVDataset ImportEvent LoadAndRemapMatrix GenerateVocabRemapping ListSnapshotChunksDataset
    SnapshotDatasetReader SnapshotNestedDatasetReader
"""
_SAVER_TEXT = """
    Save SaveSlices SaveV2 Restore RestoreSlice RestoreV2 DTensorRestoreV2 MergeV2Checkpoints ShardedFilename
    ShardedFilespec CacheDataset CacheDatasetV2 InitializeTableFromTextFile InitializeTableFromTextFileV2 Print PrintV2
"""
_NETWORK_TEXT = """
    RpcCall RpcCheckStatus RpcClient RpcGetValue RpcServer RpcServerRegister RpcServerStart DataServiceDataset
    DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RemoteCall
    TryRpc Rpc KafkaDataset BigtableClient
"""
WRITES = frozenset(_WRITES_TEXT.split())
READS = frozenset(_READS_TEXT.split())
SAVER = frozenset(_SAVER_TEXT.split())
"""Operators that every saver and every table of words needs: told by where they go."""
NETWORK = frozenset(_NETWORK_TEXT.split())
PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})

_LIBRARIES = re.compile(
    r"(?:Addons|TFText|TFSL|Struct2Tensor|TFNX)>|SimpleML|Sentencepiece|(?:Fast)?Wordpiece|Wordshape|CaseFoldUTF8|NormalizeUTF8"
    r"|RegexSplit|TFText|UnicodeScript|Whitespace|SplitMerge|Mst|RougeL|NgramsStringJoin|ConstrainedSequence|Utf8Bin"
    r"|PhraseTokenize|FastBert|DecodeProto|EncodeProto|TRTEngineOp|TPU|Xla|_|IO>|Tfra>|Horovod"
)


@cache
def _own() -> frozenset[str]:
    text = resources.files("watchword.inspect.formats").joinpath("tensorflow_ops.txt").read_text("ascii")
    return frozenset(text.split())


def is_known(op: str) -> bool:
    """True for an operator of TensorFlow, or of a library that published models commonly need."""
    return op in _own() or _LIBRARIES.match(op) is not None
