// Whoever tests with simulated jobs needs what plans them.
@_exported public import Planning
