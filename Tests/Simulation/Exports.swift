// Tests with simulated jobs need the planning module.
@_exported public import Planning
