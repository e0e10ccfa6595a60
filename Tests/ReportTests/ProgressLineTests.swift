import Testing

@testable import Report

@Suite("The progress line")
struct ProgressLineTests {
    private func state(
        done: Int, total: Int?, failures: Int = 0, seconds: Double = 3
    ) -> ProgressState {
        ProgressState(
            done: done, total: total, failures: failures, busyRanks: 3, ranks: 4,
            start: 1_000_000_000, now: 1_000_000_000 + UInt64(seconds * 1e9))
    }

    @Test("shows everything where there is room")
    func wide() {
        #expect(
            ProgressLine.render(state(done: 755, total: 1797, failures: 2), columns: 120, prefix: "fit")
                == "fit:   42 %  [===============>                      ]  755/1797  2 failed  252/s  0:00:03  "
                + "0:00:05 left  3/4 ranks")
    }

    @Test("names lost ranks, and keeps them as long as failures")
    func lost() {
        var lossy = state(done: 755, total: 1797, failures: 2)
        lossy.lostRanks = 1
        #expect(
            ProgressLine.render(lossy)
                == " 42 %  755/1797  2 failed  1 rank lost  252/s  0:00:03  0:00:05 left  3/4 ranks")
        #expect(ProgressLine.render(lossy, columns: 40) == " 42 %  755/1797  2 failed  1 rank lost")
        #expect(SummaryLine.render(lossy, work: 0, cpu: 0).hasSuffix("; 2 failed; 1 rank lost"))
    }

    @Test("says that costs are asked for, which is no time in which examples could have been done")
    func costing() {
        var asking = state(done: 0, total: 1797)
        asking.costing = ProgressState.Costing(known: 25, wanted: 100)
        #expect(ProgressLine.render(asking) == " 25 %  costs of the examples  0:00:03")
        asking.costing = nil
        (asking.costingTime, asking.done) = (2_000_000_000, 100)
        #expect(ProgressLine.render(asking).contains("100/s  0:00:03  0:00:17 left"), "\(ProgressLine.render(asking))")
    }

    @Test("is without a bar where only whole lines are printed")
    func plain() {
        #expect(
            ProgressLine.render(state(done: 755, total: 1797))
                == " 42 %  755/1797  252/s  0:00:03  0:00:05 left  3/4 ranks")
    }

    @Test("tells what it can where the total is unknown")
    func unknownTotal() {
        #expect(
            ProgressLine.render(state(done: 7500, total: nil), columns: 80)
                == "7500 examples  2.50k/s  0:00:03  3/4 ranks")
    }

    @Test("is never wider than the terminal", arguments: 0...150)
    func narrow(columns: Int) {
        for prefix in ["", "epoch 3", "日本語", "e\u{301}\u{1b}[2J\n"] {
            for total in [nil, 0, 1, 1797, 1_000_000_000] as [Int?] {
                for done in [0, 1, 755] {
                    let line = ProgressLine.render(
                        state(done: done, total: total, failures: done / 2), columns: columns, prefix: prefix)
                    #expect(TerminalText.width(line) <= columns)
                    #expect(!line.unicodeScalars.contains { $0.value < 0x20 })
                }
            }
        }
    }

    @Test(
        "gives up the least important first",
        arguments: [
            (50, " 42 %  755/1797  252/s  0:00:03  0:00:05 left"), (40, " 42 %  755/1797  252/s  0:00:05 left"),
            (30, " 42 %  755/1797  0:00:05 left"), (20, " 42 %  755/1797"), (6, " 42 %"), (3, " 42"), (0, ""),
        ])
    func priorities(columns: Int, expected: String) {
        #expect(ProgressLine.render(state(done: 755, total: 1797), columns: columns).hasPrefix(expected))
    }

    @Test("says 100 % only when nothing is left", arguments: [(1796, " 99 %"), (1797, "100 %"), (0, "  0 %")])
    func percent(done: Int, expected: String) {
        #expect(ProgressLine.render(state(done: done, total: 1797)).hasPrefix(expected))
    }

    @Test(
        "tells the time that is left by what examples cost, where that is known",
        arguments: [(0.75, "0:00:01 left"), (0.01, "0:04:57 left"), (nil, "0:00:27 left"), (0, "0:00:27 left")])
    func costs(share: Double?, expected: String) {
        var state = state(done: 10, total: 100)
        state.costShare = share
        #expect(ProgressLine.render(state).contains("  \(expected)  "))
    }

    @Test("does not divide by nothing")
    func zero() {
        #expect(ProgressLine.render(state(done: 0, total: 0, seconds: 0)) == "100 %  0/0  0/s  0:00:00  3/4 ranks")
        let past = ProgressState(done: 1, total: 2, start: 5, now: 3)
        #expect(ProgressLine.render(past) == " 50 %  1/2  0/s  0:00:00  0/1 ranks")
    }

    @Test(
        "writes numbers with three digits",
        arguments: [
            (0.0, "0"), (0.05, "0.05"), (7.254, "7.25"), (9.999, "10.0"), (14.32, "14.3"), (99.96, "100"),
            (999.4, "999"),
            (999.6, "1.00k"), (14_321, "14.3k"), (2e6, "2.00M"), (1e30, "1000000000000000T"), (.infinity, "0"),
        ])
    func numbers(value: Double, expected: String) { #expect(Figures.short(value) == expected) }

    @Test(
        "writes times as hours, minutes, seconds",
        arguments: [
            (0.0, "0:00:00"), (59.9, "0:00:59"), (61, "0:01:01"), (3600, "1:00:00"), (360_000, "100:00:00"),
        ])
    func clock(seconds: Double, expected: String) { #expect(Figures.clock(seconds: seconds) == expected) }
}

@Suite("The summary")
struct SummaryLineTests {
    @Test("says what was done, in which time, and how well the ranks were used")
    func summary() {
        let state = ProgressState(done: 1797, total: 1797, ranks: 4, start: 0, now: 3_200_000_000)
        #expect(
            SummaryLine.render(state, work: 12_300_000_000, cpu: 11_900_000_000)
                == "done: 1797 examples in 3.2 s on 4 ranks; work 12.3 s, processors 11.9 s, speedup 3.7, efficiency 93 %"
        )
    }

    @Test("says what failed and what was not done")
    func partial() {
        let state = ProgressState(
            done: 17, total: 1797, failures: 2, ranks: 1, start: 0, now: 4_000_000_000_000)
        #expect(
            SummaryLine.render(state, work: 0, cpu: 0)
                == "stopped: 17 of 1797 examples in 1:06:40 on 1 rank; work 0.000 s, processors 0.000 s, speedup 0.0, "
                + "efficiency 0 %; 2 failed")
    }

    @Test("says which example was the longest, and how much memory a rank held")
    func dearest() {
        let state = ProgressState(done: 8, total: 8, ranks: 1, start: 0, now: 2_000_000_000)
        let line = SummaryLine.render(state, work: 0, cpu: 0, longest: (7, 1_200_000_000), peak: 220 << 20)
        #expect(line.hasSuffix("efficiency 0 %; longest 1.2 s (example 7); memory 220 MiB"), "\(line)")
        let short = SummaryLine.render(state, work: 0, cpu: 0, longest: (7, 900), peak: nil)
        #expect(short.hasSuffix("efficiency 0 %"), "\(short)")
    }

    @Test(
        "memory is told in three digits",
        arguments: [
            (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.00 KiB"), (12 << 20, "12.0 MiB"), (1023 << 20, "1023 MiB"),
            ((1 << 30) - 1, "1.00 GiB"), (Int64.max, "8192 PiB"), (-5, "0 bytes"),
        ] as [(Int64, String)])
    func memory(bytes: Int64, text: String) { #expect(Figures.bytes(bytes) == text) }

    @Test("more ranks than processors are told, and are not taken for faster")
    func crowd() {
        let state = ProgressState(done: 8, total: 8, ranks: 4, start: 0, now: 2_000_000_000)
        #expect(
            SummaryLine.render(state, work: 7_600_000_000, cpu: 1_840_000_000, crowd: (4, 1))
                == "done: 8 examples in 2.0 s on 4 ranks; work 7.6 s, processors 1.8 s, speedup 0.9, efficiency 23 %; 4 "
                + "ranks share 1 processor of this host")
    }

    @Test("tells what was done before from what was done now")
    func earlier() {
        let state = ProgressState(done: 60, earlier: 40, total: 60, ranks: 2, start: 0, now: 2_000_000_000)
        #expect(
            SummaryLine.render(state, work: 0, cpu: 0).hasPrefix(
                "done: 60 examples, 40 of them before, in 2.0 s on 2 ranks;"))
        #expect(ProgressLine.render(state) == "100 %  60/60  40 before  10.0/s  0:00:02  0/2 ranks")
    }

    @Test("copes with a job that took no time")
    func instant() {
        let state = ProgressState(done: 1, total: 1, ranks: 2, start: 0, now: 0)
        #expect(
            SummaryLine.render(state, work: -5, cpu: -5)
                == "done: 1 example in 0.000 s on 2 ranks; work 0.000 s, processors 0.000 s")
    }
}
