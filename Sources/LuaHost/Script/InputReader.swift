import CLua
import CLuaHost
public import DLP

/// Reads the records of a file as examples.
///
/// It has a Lua state of its own, so that any thread can wait for them; one thread makes and uses it.
public final class InputReader {
    /// How a file is divided into records, and what they are.
    public enum Format: String, CaseIterable, Sendable {
        /// Lines, without their newline.
        case lines
        /// Strings that end with a NUL byte.
        case nul
        /// Rows as tables, with the names that the first row gives.
        case csv
        /// Likewise, with tabs in place of commas.
        case tsv
        /// A JSON value on each line.
        case jsonl

        fileprivate var number: dlp_input {
            switch self {
            case .lines: dlp_lines
            case .nul: dlp_nul
            case .csv: dlp_csv
            case .tsv: dlp_tsv
            case .jsonl: dlp_jsonl
            }
        }
    }

    private let state: LuaState
    private let encoder = LuaEncoder()
    /// Where the reader is on the stack.
    private static let reader: Int32 = 1
    /// No more are given at a time than so many, or have so many bytes.
    private static let batch = (records: 8192, bytes: 1 << 16)

    /// A reader of what comes from `descriptor`, which it closes unless that is standard input.
    ///
    /// - Parameters:
    ///   - name: what messages call it.
    ///   - ahead: what has been read of it by others.
    /// - Throws: `ScriptError` where memory is short.
    public init(
        descriptor: Int32, name: SystemString, format: Format, ahead: [UInt8] = []
    ) throws(ScriptError) {
        guard let state = dlp_new_state() else { throw ScriptError(message: "not enough memory for a Lua state") }
        self.state = state
        let status = dlp_open_input(state, descriptor, name.cString, format.number, ahead, ahead.count)
        guard status == LUA_OK else { throw popError() }
    }

    deinit { dlp_close(state) }

    /// The next records, each an encoded value, as many as there are without waiting; it waits for one.
    ///
    /// - Returns: nil at the end.
    /// - Throws: `ScriptError` where the file cannot be read, or is not what it should be; it says where.
    public func read() throws(ScriptError) -> [Bytes]? {
        var records: [Bytes] = []
        var bytes = 0
        while records.count < Self.batch.records, bytes < Self.batch.bytes {
            switch dlp_next_input(state, Self.reader, records.isEmpty) {
            case dlp_input_record:
                defer { pop(state) }
                do { try encoder.append(state, -1) } catch { throw ScriptError(message: error.description) }
                let record = encoder.take()
                bytes += record.count
                records.append(record)
            case dlp_input_nothing: return records
            case dlp_input_end: return records.isEmpty ? nil : records
            default: throw popError()
            }
        }
        return records
    }

    private func popError() -> ScriptError {
        defer { pop(state) }
        return ScriptError(message: string(state, -1) ?? "it cannot be read")
    }
}
