import DLP

/// Results as a table, RFC 4180.
///
/// The first column is `index`, from 1; it is called `example` if the results have an `index` of their own. The other
/// columns are the keys of the results if all of them are maps; the positions if all of them are arrays; otherwise
/// `result`. Nil leaves a cell empty, the empty string is a pair of quotes, and a value that has parts is JSON text.
struct ResultTable {
    private enum Columns {
        case result
        /// The characters of the keys, without quotes. They are bytes, because Swift's strings treat differently composed
        /// characters as equal.
        case keys([[UInt8]])
        case positions(Int)
    }

    /// The results as lines of JSON.
    let lines: Bytes
    /// The numbers of their examples; nil: 1, 2, 3 and so on.
    var numbers: [Int]?
    /// The facts beside the results, in columns after the others, and their lines of JSON.
    var fields: [ResultField] = []
    var rows = Bytes.empty

    /// Writes the header and all rows.
    ///
    /// - Throws: `ReportError` where the file cannot be written.
    func write(to file: inout OutputFile) throws(ReportError) {
        try rows.withUnsafeBytes { (rows) throws(ReportError) in try write(to: &file, rows) }
    }

    private func write(to file: inout OutputFile, _ rows: UnsafeRawBufferPointer) throws(ReportError) {
        let beside = rows.split(separator: UInt8(ascii: "\n"))
        try lines.withUnsafeBytes { (lines) throws(ReportError) in
            let columns = Self.columns(of: lines)
            Self.appendHeader(columns, fields, to: &file.buffer)
            var index = 0
            for line in lines.split(separator: UInt8(ascii: "\n")) {
                file.buffer.append(utf8: "\(numbers?[index] ?? index + 1)")
                index += 1
                Self.appendRow(UnsafeRawBufferPointer(rebasing: line), columns, to: &file.buffer)
                if !fields.isEmpty { Self.appendFields(of: beside[index - 1], to: &file.buffer) }
                file.buffer.append(utf8: "\r\n")
                try file.flushIfFull()
            }
        }
    }

    private static func columns(of lines: UnsafeRawBufferPointer) -> Columns {
        var keys: Set<[UInt8]> = []
        var longest = 0
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            let row = UnsafeRawBufferPointer(rebasing: line)
            // Nil and an empty table, which is neither an array nor a map, fit into every kind of row.
            if isEmpty(row) { continue }
            switch row.first {
            case UInt8(ascii: "{"): for member in JSONMembers(of: row) { keys.insert(Array(member.key)) }
            case UInt8(ascii: "["): longest = max(longest, JSONMembers(of: row).reduce(0) { count, _ in count + 1 })
            default: return .result
            }
            if !keys.isEmpty && longest > 0 { return .result }
        }
        if longest > 0 { return .positions(longest) }
        return keys.isEmpty ? .result : .keys(keys.sorted(by: precedes))
    }

    private static func isEmpty(_ row: UnsafeRawBufferPointer) -> Bool {
        row.elementsEqual("null".utf8) || row.elementsEqual("[]".utf8) || row.elementsEqual("{}".utf8)
    }

    /// The order of the renderer: integers first, by value.
    private static func precedes(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        switch (integer(one), integer(other)) {
        case (let a?, let b?) where a != b: a < b
        case (_?, nil): true
        case (nil, _?): false
        default: one.lexicographicallyPrecedes(other)
        }
    }

    private static func integer(_ key: [UInt8]) -> Int? { Int(String(decoding: key, as: UTF8.self)) }

    private static func appendHeader(_ columns: Columns, _ fields: [ResultField], to buffer: inout ByteWriter) {
        buffer.append(utf8: nameOfIndex(beside: columns))
        switch columns {
        case .result: buffer.append(utf8: ",result")
        case .positions(let count): for position in 1...count { buffer.append(utf8: ",\(position)") }
        case .keys(let keys):
            for key in keys {
                buffer.append(UInt8(ascii: ","))
                key.withUnsafeBytes { buffer.appendCSVField(jsonCharacters: $0) }
            }
        }
        for field in fields { buffer.append(utf8: ",\(name([field.rawValue], beside: columns))") }
        buffer.append(utf8: "\r\n")
    }

    private static func appendFields(of array: Slice<UnsafeRawBufferPointer>, to buffer: inout ByteWriter) {
        for member in JSONMembers(of: UnsafeRawBufferPointer(rebasing: array)) {
            buffer.append(UInt8(ascii: ","))
            buffer.appendCSVField(json: member.value)
        }
    }

    /// The name of the index column, which differs from the names of all other columns.
    private static func nameOfIndex(beside columns: Columns) -> String {
        name(["index", "example"], beside: columns)
    }

    /// The first of these names that is not the name of a column of the results; if all of them are, the last with
    /// underscores before it.
    private static func name(_ names: [String], beside columns: Columns) -> String {
        guard case .keys(let keys) = columns else { return names[0] }
        var names = names
        while names.count > 1, keys.contains(Array(names[0].utf8)) { names.removeFirst() }
        var name = names[0]
        while keys.contains(Array(name.utf8)) { name = "_\(name)" }
        return name
    }

    private static func appendRow(
        _ row: UnsafeRawBufferPointer, _ columns: Columns, to buffer: inout ByteWriter
    ) {
        switch columns {
        case .result:
            buffer.append(UInt8(ascii: ","))
            buffer.appendCSVField(json: row)
        case .positions(let count):
            var missing = count
            if !isEmpty(row) {
                for member in JSONMembers(of: row) {
                    buffer.append(UInt8(ascii: ","))
                    buffer.appendCSVField(json: member.value)
                    missing -= 1
                }
            }
            for _ in 0..<missing { buffer.append(UInt8(ascii: ",")) }
        case .keys(let keys):
            var values: [[UInt8]: UnsafeRawBufferPointer] = [:]
            if !isEmpty(row) { for member in JSONMembers(of: row) { values[Array(member.key)] = member.value } }
            for key in keys {
                buffer.append(UInt8(ascii: ","))
                if let value = values[key] { buffer.appendCSVField(json: value) }
            }
        }
    }
}
