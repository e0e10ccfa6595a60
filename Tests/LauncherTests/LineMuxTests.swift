import Simulation
import Testing

@testable import Launcher

extension LineMux {
    /// Returns what is to be written since the last call, as text.
    fileprivate mutating func text() -> String { String(decoding: takeOutput(), as: UTF8.self) }
}

@Suite("Whole lines")
struct LineMuxTests {
    @Test("lines of two writers are not mixed")
    func wholeLines() {
        var mux = LineMux()
        let (a, b) = (mux.add(), mux.add())
        mux.write("Hel", from: a)
        mux.write("one\ntwo\nth", from: b)
        #expect(mux.text() == "one\ntwo\n")
        mux.write("lo\nWorld", from: a)
        #expect(mux.text() == "Hello\n")
        mux.write("ree\n", from: b)
        #expect(mux.text() == "three\n")
        mux.close(a)
        #expect(mux.text() == "World")
    }

    @Test("an unfinished last line stays as it is, and is ended only for what follows")
    func unfinishedEnd() {
        var mux = LineMux()
        let (a, b) = (mux.add(), mux.add())
        mux.write("abc", from: a)
        mux.close(a)
        #expect(mux.text() == "abc")
        #expect(!mux.isAtLineStart)
        mux.write("def", from: b)
        #expect(mux.text() == "")
        mux.close(b)
        #expect(mux.text() == "\ndef")
    }

    @Test("every line begins with its writer's tag, and an unfinished last one gets a newline")
    func tags() {
        var mux = LineMux()
        let (a, b) = (mux.add(tag: "[0] "), mux.add(tag: "[1] "))
        mux.write("x\n\ny", from: a)
        mux.write("z\n", from: b)
        mux.close(a)
        #expect(mux.text() == "[0] x\n[0] \n[1] z\n[0] y\n")
        mux.close(b)
        #expect(mux.text() == "")
    }

    @Test("a prompt is passed on at once; what others write begins a new line")
    func prompts() {
        var mux = LineMux()
        let (a, b) = (mux.add(isPrompt: true), mux.add())
        mux.write("Name? ", from: a)
        #expect(mux.text() == "Name? ")
        mux.write("Hello ", from: a)
        mux.write("you\n", from: a)
        #expect(mux.text() == "Hello you\n")
        mux.write("Age? ", from: a)
        mux.write("one\n", from: b)
        mux.write("again? ", from: a)
        #expect(mux.text() == "Age? \none\nagain? ")
    }

    @Test("on a terminal, and only there, a progress bar is passed on at once", arguments: [true, false])
    func progressBars(isTerminal: Bool) {
        var mux = LineMux(redraws: isTerminal)
        let (a, b) = (mux.add(), mux.add())
        mux.write("\r 1 %", from: a)
        mux.write("\r 2 %", from: a)
        #expect(mux.text() == (isTerminal ? "\r 1 %\r 2 %" : ""))
        mux.write("one\n", from: b)
        mux.write("\r 3 %\n", from: a)
        #expect(mux.text() == (isTerminal ? "\none\n\r 3 %\n" : "one\n\r 1 %\r 2 %\r 3 %\n"))
    }

    @Test("the writer of a long line has the floor until its newline")
    func floor() {
        var mux = LineMux(longLine: 4)
        let (a, b, c) = (mux.add(), mux.add(), mux.add())
        mux.write("aaa", from: a)
        #expect(mux.text() == "" && mux.floor == nil)
        mux.write("a", from: a)
        #expect(mux.text() == "aaaa" && mux.floor == a)
        #expect(!mux.isContended)
        mux.write("b\nB", from: b)
        mux.write("c", from: c)
        mux.close(c)
        #expect(mux.text() == "" && mux.isContended)
        mux.write("aa", from: a)
        mux.write("a\nA", from: a)
        #expect(mux.text() == "aaa\nb\nc")
        #expect(mux.floor == nil)
        mux.write("\n", from: b)
        #expect(mux.text() == "\nB\n")
    }

    @Test("a writer that ends gives the floor back")
    func floorOfAnEndedWriter() {
        var mux = LineMux(longLine: 1)
        let (a, b) = (mux.add(), mux.add())
        mux.write("aa", from: a)
        mux.write("b\n", from: b)
        mux.close(a)
        #expect(mux.text() == "aa\nb\n")
        #expect(mux.floor == nil)
    }

    @Test("a broken floor lets others write; its writer goes on after them")
    func brokenFloor() {
        var mux = LineMux(longLine: 1)
        let (a, b) = (mux.add(tag: "[a] "), mux.add(tag: "[b] "))
        mux.write("aa", from: a)
        mux.write("b\n", from: b)
        mux.breakFloor()
        mux.write("a\n", from: a)
        #expect(mux.text() == "[a] aa\n[b] b\n[a] a\n")
    }

    @Test("who waits with much text should not be read from, and counts as waiting even without a newline")
    func backlog() {
        var mux = LineMux(longLine: 8, backlog: 3)
        let (a, b) = (mux.add(), mux.add())
        mux.write("aaaaaaaa", from: a)
        mux.write("bb", from: b)
        #expect(!mux.isFull(b) && !mux.isContended)
        mux.write("b", from: b)
        #expect(mux.isFull(b) && mux.isContended && !mux.isFull(a))
        mux.write("\n", from: a)
        #expect(!mux.isFull(b))
    }

    @Test("random writers: no byte is lost, no line is mixed, each writer's order stays", arguments: 0..<100)
    func randomWriters(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var mux = LineMux(longLine: Int.random(in: 1...40, using: &generator))
        let writers = (0..<5).map { _ in mux.add() }
        // Every line consists of its writer's letter only.
        let letters: [Character] = ["a", "b", "c", "d", "e"]
        var rest = writers.map { writer in
            (0..<30).map { _ in
                String(repeating: letters[writer], count: Int.random(in: 0...60, using: &generator)) + "\n"
            }.joined()
        }
        let whole = rest
        var text = ""
        while let writer = writers.filter({ !rest[$0].isEmpty }).randomElement(using: &generator) {
            let piece = rest[writer].prefix(Int.random(in: 1...50, using: &generator))
            rest[writer].removeFirst(piece.count)
            mux.write(String(piece), from: writer)
            text += mux.text()
        }
        writers.forEach { mux.close($0) }
        text += mux.text()
        var seen = letters.map { _ in "" }
        for line in text.split(separator: "\n") {
            guard let writer = letters.firstIndex(of: line.first ?? " ") else { continue }
            #expect(line.allSatisfy { $0 == letters[writer] }, "seed \(seed): \(line)")
            seen[writer] += line + "\n"
        }
        #expect(text.count == whole.reduce(0) { $0 + $1.count }, "seed \(seed)")
        for writer in writers {
            let lines = whole[writer].split(separator: "\n").map { $0 + "\n" }.joined()
            #expect(seen[writer] == lines, "seed \(seed)")
        }
    }
}
