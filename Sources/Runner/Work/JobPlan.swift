import DLP
import LuaHost
import Report

/// What every rank knows about a job before it begins.
struct JobPlan {
    var settings: JobSettings
    var examples: Examples
    var agreement: Agreement
    /// Whether the script has a function `collect`, and a function `summarize`.
    var collects: Bool
    var summarizes: Bool
    /// Whether it has a function `cost`.
    var hasCost: Bool

    /// Whether the root sends the examples with the work.
    var isSent: Bool { agreement.source == .sent }

    /// Whether the results are written to standard output.
    var printsResults: Bool { !collects && !summarizes && settings.output == nil }

    /// Whether the costs of examples are given in some way.
    var wantsOrder: Bool { hasCost || settings.costs != nil }

    /// Whether the longest examples can be begun first.
    ///
    /// They cannot where each rank has its fixed share, or where the list is read as it comes.
    var allowsOrder: Bool { settings.mode != .roundRobin && examples.count != nil }

    /// How many examples all ranks know of; nil where the root tells which ones are to be done.
    ///
    /// It does so with a journal, where only some are chosen, and where the longest come first.
    var announcedLength: Int? {
        settings.journal == nil && !settings.isPartial && !(wantsOrder && allowsOrder) ? agreement.count : nil
    }

    /// Whether the root takes results as they are made: because the script sees them one by one, or because the root
    /// must know the cost of each.
    private var streams: Bool { collects || settings.journal != nil || settings.isPartial || settings.with != nil }

    /// How many examples may be begun after the first one whose result is missing; nil: any number.
    ///
    /// Where the script sees results in the order of the examples, later results wait in memory.
    var window: Int? {
        guard collects, settings.collect == .order else { return nil }
        return max(16_384, 64 * settings.size)
    }

    /// How the list of examples may grow while they are done.
    struct Growth: Sendable {
        var mayGrow: Bool
        /// Whether added examples come after the whole list, however much of it has been read.
        var isOrdered: Bool
        /// Whether the list itself is sent, not only the added examples.
        var listIsSent: Bool
    }

    /// How the list may grow: `collect` may add to the list, but not to a choice from it.
    var growth: Growth {
        Growth(
            mayGrow: collects && !settings.isCommand && !settings.isPartial, isOrdered: window != nil,
            listIsSent: examples.count == nil)
    }

    /// The interval in nanoseconds at which a rank reports what it has done of a chunk; 0: only at the chunk's end.
    ///
    /// With more ranks each one reports less often, because the root must receive all reports.
    var reportInterval: UInt64 {
        let options = loopOptions
        if options.shares != nil, !options.sharesInChunks { return 0 }
        return UInt64(min(max(20_000_000, settings.size * 80_000), 250_000_000))
    }

    /// For how long a rank whose connection broke tries to reconnect, in nanoseconds; nil: not at all.
    var returnLimit: UInt64? {
        guard settings.mode != .roundRobin, settings.failures.crashLimit > 0, settings.rejoin > 0 else { return nil }
        return UInt64(settings.rejoin * 1e9)
    }

    /// The options by which the examples are handed out.
    var loopOptions: LoopOptions {
        var options = LoopOptions(
            results: settings.mode == .managed && !streams ? .stay : .stream,
            examples: agreement.source,
            chunk: settings.chunk)
        options.failures = settings.failures
        options.window = window
        options.mayGrow = growth.mayGrow
        // Results that are written must be in the order of the examples, and would have to wait.
        options.isOrderFree =
            (collects || summarizes) && settings.output == nil && !settings.isCommand && window == nil
        // A failure waits for its turn too: until then it is not known whether the job comes so far.
        if window != nil, !settings.isCommand { options.failures.continues = true }
        if settings.mode == .roundRobin {
            options.chunk = nil
            // A root that does not work leaves its share to the other ranks.
            options.sharesInChunks = streams || settings.hasTimeline || settings.progress == .on
            options.shares = settings.rootWorks ? settings.size : settings.size - 1
        }
        return options
    }
}
