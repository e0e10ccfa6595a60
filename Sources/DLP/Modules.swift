// Everything that a program gets by `import DLP`: the modules below it.

@_exported public import Codec
@_exported public import Engine
@_exported public import Scheduling
@_exported public import SystemSupport
