public import DLP
import LuaHost

extension Invocation {
    /// Sets the options that differ where a command is run for each example.
    ///
    /// - Parameters:
    ///   - hasTags: whether each line of a command's output has the example before it.
    ///   - isDry: whether commands are only printed, and nothing is kept.
    ///   - outputs: the directory in which to keep what each command has written, if any.
    public mutating func runCommands(hasTags: Bool, isDry: Bool, outputs: SystemString?) {
        (commandOptions.hasTags, commandOptions.isDry) = (hasTags, isDry)
        commandOptions.outputs = isDry ? nil : outputs
        // One broken file should not keep the others from being done.
        options.onError = options.onError ?? .continue
        options.collect = options.collect ?? .order
        guard isDry else { return }
        (options.journal, options.output, options.timelines, options.report) = (nil, nil, [], nil)
        (options.joinable, options.keep, options.fresh, options.with) = (nil, nil, nil, nil)
    }
}
