import CLua
import CLuaHost
public import DLP

/// Reads the records of a file as examples.
///
/// It has a Lua state of its own, so that any thread can wait for records. It must be made and used by one thread.
public final class InputReader {
    /// How a file is divided into records, and what a record is.
    public enum Format: String, CaseIterable, Sendable {
        /// Lines, without their newline.
        case lines
        /// Strings that end with a NUL byte.
        case nul
        /// Rows as tables, with the field names of the first row.
        case csv
        /// The same, with tabs instead of commas.
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
    /// The stack index of the reader.
    private static let reader: Int32 = 1
    /// The limits of one call of `read`: records, and bytes.
    private static let batch = (records: 8192, bytes: 1 << 16)

    /// A reader of the data from `descriptor`.
    ///
    /// It closes the descriptor unless that is standard input.
    ///
    /// - Parameters:
    ///   - name: the name for messages.
    ///   - ahead: the bytes that have been read from the descriptor already.
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

    /// Returns the next records, each an encoded value: all that can be read without waiting.
    ///
    /// It waits for the first record.
    ///
    /// - Returns: nil at the end.
    /// - Throws: `ScriptError` where the file cannot be read, or has a wrong format; the message says where.
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
