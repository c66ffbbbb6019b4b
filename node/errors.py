"""What an operator can have done wrong: configuration, files, folders, ports.

These errors are read by the person who runs the node, so unlike those of other packages they name
files of the host. None of them ever travels to another machine.
"""

from moyai.primitives.errors import MoyaiError


class ConfigError(MoyaiError):
    """A setting that is unknown, of a wrong type, or outside of what is allowed."""

    code = "bad_config"


class KeyFileError(MoyaiError):
    """A key file that is missing, damaged, readable by others or sealed by another passphrase."""

    code = "bad_key_file"


class InUseError(MoyaiError):
    """A second process wants the same key, folder or port."""

    code = "in_use"


class GenesisFileError(MoyaiError):
    """A genesis file that is missing, not of the documented form, or does not agree with itself."""

    code = "bad_genesis_file"


class FolderError(MoyaiError):
    """A folder that exists already, is missing, or cannot be written."""

    code = "bad_folder"


class NodeProcessError(MoyaiError):
    """A node that was started as a process does not do what it was started for."""

    code = "node_failed"


class OperationTextError(MoyaiError):
    """An operation written in JSON that names no known type, or a field of a wrong form."""

    code = "bad_operation"


class DemoError(MoyaiError):
    """The demonstration found something that must not be."""

    code = "demo_failed"
