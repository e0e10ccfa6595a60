import DLP
public import Launcher
import Planning

extension StartOptions {
    /// The numbers of ranks that are to be planned for, as `-np 1,2,4` names them; none where it is not given.
    ///
    /// - Throws: `UsageError` where they are none, or ranks are to be started on hosts.
    public func plannedRanks() throws(UsageError) -> [Int] {
        guard hosts == nil, hostFile == nil else {
            throw UsageError("--plan starts nothing: say by -np 8,16,32 for how many ranks")
        }
        guard let text = ranks?.description else { return [] }
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        guard numbers.allSatisfy({ 1...Plan.mostRanks ~= $0 }) else {
            throw UsageError("--plan takes numbers of ranks from 1 to \(Plan.mostRanks), as -np 1,2,4: not -np \(text)")
        }
        return numbers
    }
}
