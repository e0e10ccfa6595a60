import Arguments
import DLP
import LuaHost
import Testing

@testable import Runner

/// Each option is said once, and what is said of it holds.
struct OptionTableTests {
    @Test("every option of the table has a meaning, and what completion offers for it is taken")
    func meaning() {
        for option in JobOption.all {
            var values = ["yes", "1", "map", "ame", "replicate", "stop", "auto", "a.json"].map { SystemString($0) }
            if case .words(let words) = option.option.completion {
                values = words.map { SystemString($0) }
                #expect(values.allSatisfy { isTaken($0, for: option) }, "\(option.name)")
            }
            #expect(values.contains { isTaken($0, for: option) }, "\(option.name)")
        }
    }

    private func isTaken(_ value: SystemString, for option: JobOption) -> Bool {
        var options = JobOptions()
        return (try? options.set(option.name, value)) != nil
    }

    @Test("completion offers every choice")
    func choices() {
        let choices = [
            ("mode", Mode.allCases.map(\.rawValue)), ("backend", Backend.allCases.map(\.rawValue)),
            ("root-works", Choice.allCases.map(\.rawValue)), ("examples", ExampleSource.allCases.map(\.rawValue)),
            ("on-error", OnError.allCases.map(\.rawValue)),
        ]
        for (name, values) in choices {
            guard case .words(let words)? = JobOption.all.first(where: { $0.name == name })?.option.completion else {
                Issue.record("\(name) has no words to offer")
                continue
            }
            #expect(Set(words) == Set(values))
        }
    }

    @Test("no name stands twice")
    func names() {
        let names = JobOption.all.flatMap { $0.option.names }
        #expect(Set(names).count == names.count)
    }

    @Test("a name in dlp.options that is near one is answered with it")
    func nearMiss() {
        var options = JobOptions()
        let error = #expect(throws: UsageError.self) { try options.addScriptOptions([("retrys", .text("1"))]) }
        #expect(error?.message == "there is no option retrys; is retries meant?")
    }
}
