import CLua
import DLP

/// The parts of a Lua function, as `lua_dump` writes them: instructions and constants, also of the functions inside it, and
/// what it uses from outside.
///
/// The layout is that of Lua 5.4 (ldump.c, lundump.c and lopcodes.h in its sources); no release of 5.4 has changed it.
struct FunctionCode {
    /// Something that the function reads, by a constant name, from one of its upvalues.
    struct Field: Hashable {
        /// The upvalue, from 0: the table of the globals, or a library.
        var upvalue: Int
        var name: [UInt8]
        /// The field that is read of the result at once, as `traceback` in `debug.traceback`.
        var member: [UInt8]?
        /// The constant string with which the result is called at once, as `helper` in `require "helper"`.
        var argument: [UInt8]?
        /// The constant string that is the second and last argument of a call of that member, as `w` in `io.open(path, "w")`.
        var second: [UInt8]?
    }

    /// Everything that determines what the function does; without lines, names of locals, and the name of its source.
    private(set) var substance: [UInt8] = []
    /// What it reads by constant names, each with the line of its first occurrence.
    private(set) var fields: [(field: Field, line: Int)] = []
    /// The upvalues that it uses in other ways than by constant names, each with the line of the first such use.
    private(set) var wholes: [(upvalue: Int, line: Int)] = []

    private var knownFields: Set<Field> = []
    private var knownWholes: Set<Int> = []

    /// - Parameter dump: the function with its lines and names.
    /// - Returns: nil where the dump does not have the layout known here.
    init?(dump: UnsafeRawBufferPointer) {
        var reader = DumpReader(dump)
        guard reader.skipHeader(), let upvalues = reader.byte() else { return nil }
        guard read(&reader, upvalues: (0..<Int(upvalues)).map { $0 }, isOutermost: true), reader.isAtEnd else {
            return nil
        }
    }

    /// The operations that matter here, by their numbers in lopcodes.h.
    private enum Operation {
        static let move: UInt32 = 0
        static let loadConstant: UInt32 = 3
        static let getUpvalue: UInt32 = 9
        static let getTableOfUpvalue: UInt32 = 11
        static let getTable: UInt32 = 12
        static let getField: UInt32 = 14
        /// Jumps, comparisons and tests.
        static let branches: ClosedRange<UInt32> = 56...67
        static let call: UInt32 = 68
        static let tailCall: UInt32 = 69
    }

    /// An instruction and its parts.
    private struct Instruction {
        let bits: UInt32
        var operation: UInt32 { bits & 0x7F }
        var a: Int { Int(bits >> 7 & 0xFF) }
        var b: Int { Int(bits >> 16 & 0xFF) }
        var c: Int { Int(bits >> 24) }
        var bx: Int { Int(bits >> 15) }
    }

    /// Reads one function, and the functions inside it.
    ///
    /// - Parameter upvalues: for each upvalue of the function, which upvalue of the outermost function it is; nil: it is a local
    ///   of a function in between.
    private mutating func read(_ reader: inout DumpReader, upvalues outer: [Int?], isOutermost: Bool) -> Bool {
        guard reader.skipString(), let line = reader.number(), reader.number() != nil,
            // How many parameters there are, whether there may be more, and how many registers.
            let head = reader.bytes(3), let count = reader.number(), let code = reader.bytes(count &* 4)
        else { return false }
        substance.append(contentsOf: head)
        append(count)
        substance.append(contentsOf: code)
        guard let constants = readConstants(&reader), let own = readUpvalues(&reader, outer, isOutermost) else {
            return false
        }
        guard let inner = reader.number() else { return false }
        append(inner)
        for _ in 0..<inner {
            guard read(&reader, upvalues: own, isOutermost: false) else { return false }
        }
        guard let lines = reader.lines(from: line, count: count), reader.skipNames() else { return false }
        look(through: code, constants, own, lines)
        return true
    }

    /// - Returns: the constants, nil for one that is no string.
    private mutating func readConstants(_ reader: inout DumpReader) -> [[UInt8]?]? {
        guard let count = reader.number() else { return nil }
        append(count)
        var constants: [[UInt8]?] = []
        for _ in 0..<count {
            guard let kind = reader.byte() else { return nil }
            substance.append(kind)
            switch kind {
            // nil, false, true
            case 0x00, 0x01, 0x11: constants.append(nil)
            // An integer, a float.
            case 0x03, 0x13:
                guard let number = reader.bytes(8) else { return nil }
                substance.append(contentsOf: number)
                constants.append(nil)
            // A string, short or long.
            case 0x04, 0x14:
                guard let text = reader.string() else { return nil }
                append(text.count)
                substance.append(contentsOf: text)
                constants.append(Array(text))
            default: return nil
            }
        }
        return constants
    }

    /// - Returns: for each upvalue of this function, which upvalue of the outermost function it is; nil: none of them.
    private mutating func readUpvalues(_ reader: inout DumpReader, _ outer: [Int?], _ isOutermost: Bool) -> [Int?]? {
        guard let count = reader.number() else { return nil }
        append(count)
        var own: [Int?] = []
        for number in 0..<count {
            guard let facts = reader.bytes(3) else { return nil }
            // Where the outermost function got its own upvalues does not change what it does.
            guard !isOutermost else {
                own.append(number)
                continue
            }
            substance.append(contentsOf: facts)
            own.append(facts[0] == 0 && Int(facts[1]) < outer.count ? outer[Int(facts[1])] : nil)
        }
        return own
    }

    /// Finds what the instructions read from the upvalues.
    private mutating func look(
        through code: UnsafeRawBufferPointer, _ constants: [[UInt8]?], _ upvalues: [Int?], _ lines: [Int]
    ) {
        let count = code.count / 4
        let instruction: (Int) -> Instruction? = { index in
            guard index < count else { return nil }
            return Instruction(
                bits: UInt32(littleEndian: code.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
        }
        let upvalue = { (index: Int) -> Int? in index < upvalues.count ? upvalues[index] : nil }
        let constant = { (index: Int) -> [UInt8]? in index < constants.count ? constants[index] : nil }
        for index in 0..<count {
            guard let present = instruction(index) else { return }
            let line = index < lines.count ? lines[index] : 0
            switch present.operation {
            case Operation.getTableOfUpvalue:
                guard let outer = upvalue(present.b), let name = constant(present.c) else { continue }
                var field = Field(upvalue: outer, name: name)
                field.member = member(of: present.a, instruction(index + 1), constant)
                field.argument = argument(for: present.a, (1...2).map { instruction(index + $0) }, constant)
                field.second = secondArgument(for: present.a, (index + 1..<count).lazy.map(instruction), constant)
                add(field, line)
            case Operation.getUpvalue:
                guard let outer = upvalue(present.b) else { continue }
                // A function with more than 256 constants loads the others into a register first.
                if let next = instruction(index + 1), next.operation == Operation.loadConstant, next.a == present.a + 1,
                    let name = constant(next.bx), let get = instruction(index + 2), get.operation == Operation.getTable,
                    get.b == present.a, get.c == next.a, get.a == present.a
                {
                    var field = Field(upvalue: outer, name: name)
                    field.member = member(of: get.a, instruction(index + 3), constant)
                    field.argument = argument(for: get.a, (3...4).map { instruction(index + $0) }, constant)
                    add(field, line)
                } else if let name = member(of: present.a, instruction(index + 1), constant) {
                    add(Field(upvalue: outer, name: name), line)
                } else if knownWholes.insert(outer).inserted {
                    wholes.append((outer, line))
                }
            default: continue
            }
        }
    }

    private mutating func append(_ count: Int) {
        withUnsafeBytes(of: UInt64(count).littleEndian) { substance.append(contentsOf: $0) }
    }

    private mutating func add(_ field: Field, _ line: Int) {
        if knownFields.insert(field).inserted { fields.append((field, line)) }
    }

    /// The constant name of the field that the next instruction reads from a register, if it writes it to the same
    /// register.
    ///
    /// Then no other instruction sees the register's former value.
    private func member(of register: Int, _ next: Instruction?, _ constant: (Int) -> [UInt8]?) -> [UInt8]? {
        guard let next, next.operation == Operation.getField, next.a == register, next.b == register else { return nil }
        return constant(next.c)
    }

    /// The constant string that is the only argument of the call, by the next two instructions, of the function in a register.
    private func argument(for register: Int, _ next: [Instruction?], _ constant: (Int) -> [UInt8]?) -> [UInt8]? {
        guard let load = next[0], load.operation == Operation.loadConstant, load.a == register + 1, let call = next[1],
            [Operation.call, Operation.tailCall].contains(call.operation), call.a == register, call.b == 2
        else { return nil }
        return constant(load.bx)
    }

    /// The constant string that is the second and last argument of the call of the function in a register.
    private func secondArgument(
        for register: Int, _ rest: some Sequence<Instruction?>, _ constant: (Int) -> [UInt8]?
    ) -> [UInt8]? {
        var before: Instruction?
        for case let next? in rest {
            if [Operation.call, Operation.tailCall].contains(next.operation), next.a == register {
                guard next.b == 3, let before, before.operation == Operation.loadConstant, before.a == register + 2
                else {
                    return nil
                }
                return constant(before.bx)
            }
            // Until then the arguments are computed, one after another: nothing may branch, or copy the function elsewhere.
            let isMember = next.operation == Operation.getField && next.a == register && next.b == register
            let isBranch = Operation.branches.contains(next.operation)
            let isCopy = next.operation == Operation.move && next.b == register
            guard isMember || next.a > register, !isBranch, !isCopy else { return nil }
            before = next
        }
        return nil
    }
}

/// Reads the output of `lua_dump`.
private struct DumpReader {
    private var rest: UnsafeRawBufferPointer.SubSequence

    init(_ dump: UnsafeRawBufferPointer) { rest = dump[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// The signature and the version, and the sizes of an instruction, an integer and a float, with a sample of each.
    private static let header: [UInt8] =
        [0x1B, 0x4C, 0x75, 0x61, 0x54, 0x00, 0x19, 0x93, 0x0D, 0x0A, 0x1A, 0x0A, 4, 8, 8]

    mutating func skipHeader() -> Bool {
        guard let found = bytes(Self.header.count), found.elementsEqual(Self.header) else { return false }
        return bytes(16) != nil
    }

    mutating func byte() -> UInt8? { rest.popFirst() }

    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }

    /// A number in groups of seven bits, the highest first; the last has the highest bit set.
    mutating func number() -> Int? {
        var number = 0
        while let byte = rest.popFirst() {
            guard number < 1 << 48 else { return nil }
            number = number << 7 | Int(byte & 0x7F)
            if byte & 0x80 != 0 { return number }
        }
        return nil
    }

    /// A string.
    ///
    /// The dump contains its length plus one, because 0 stands for no string.
    mutating func string() -> UnsafeRawBufferPointer? {
        guard let length = number() else { return nil }
        return bytes(max(0, length - 1))
    }

    mutating func skipString() -> Bool { string() != nil }

    /// The line of each instruction; empty where the dump has none.
    ///
    /// Each instruction has its distance from the line before, or a mark that says that its line stands in a separate
    /// list.
    mutating func lines(from first: Int, count: Int) -> [Int]? {
        guard let known = number(), let steps = bytes(known), let more = number() else { return nil }
        var absolute: [Int: Int] = [:]
        for _ in 0..<more {
            guard let instruction = number(), let line = number() else { return nil }
            absolute[instruction] = line
        }
        var line = first
        return steps.enumerated().map { index, step in
            line = step == 0x80 ? absolute[index] ?? line : line + Int(Int8(bitPattern: step))
            return line
        }
    }

    /// Skips the names of locals, each with the range of instructions in which it exists, and the names of upvalues.
    mutating func skipNames() -> Bool {
        guard let locals = number() else { return false }
        for _ in 0..<locals { guard skipString(), number() != nil, number() != nil else { return false } }
        guard let upvalues = number() else { return false }
        for _ in 0..<upvalues { guard skipString() else { return false } }
        return true
    }
}
