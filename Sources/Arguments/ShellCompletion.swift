/// The script by which a shell completes a program's command lines.
///
/// Options are offered only before the first word that is not an option; after it they would belong to another program.
struct ShellCompletion {
    private let program: String
    private let entries: [any OptionEntry]
    /// What is offered for the first word that is not an option; after it, files are offered.
    private let first: Option.Completion

    /// A completion of the command lines of `program`.
    init(program: String, entries: [any OptionEntry], first: Option.Completion) {
        self.program = program
        self.entries = entries
        self.first = first
    }

    /// The supported shells.
    static let shells = ["bash", "zsh", "fish"]

    /// The script for `shell`; nil where it is not supported.
    func script(for shell: String) -> String? {
        switch shell {
        case "bash": bash
        case "zsh": zsh
        case "fish": fish
        default: nil
        }
    }

    /// The program's name in a form that can be part of a function's name.
    private var function: String { String(program.map { $0 == "-" ? "_" : $0 }) }

    private var names: [String] { entries.flatMap(\.option.names) }

    private var namesWithValue: [String] { entries.map(\.option).filter(\.wantsValue).flatMap(\.names) }

    /// The description of an option in a list: the first sentence of its help, without the full stop.
    private static func summary(of option: Option) -> String {
        var words: [Substring] = []
        for word in option.help.split(separator: " ") {
            words.append(word)
            if word.hasSuffix(".") || word.hasSuffix(":") || word.hasSuffix(";") { break }
        }
        return String(words.joined(separator: " ").dropLast())
    }

    /// `text` with a backslash before each of `special`.
    private static func escape(_ text: String, _ special: String) -> String {
        text.map { special.contains($0) ? "\\\($0)" : "\($0)" }.joined()
    }

    // MARK: - bash

    private var bash: String {
        let values = entries.filter(\.option.wantsValue).map { entry in
            "        \(entry.option.names.joined(separator: "|"))) \(Self.bash(entry.completion)) ;;"
        }
        return """
            # bash completion for \(program)
            _\(function)() {
                local current=${COMP_WORDS[COMP_CWORD]} option= place=1
                COMPREPLY=()
                [[ $current != = ]] || current=
                while ((place < COMP_CWORD)); do
                    option=
                    case ${COMP_WORDS[place]} in
                    \(namesWithValue.joined(separator: "|")))
                        option=${COMP_WORDS[place]}
                        [[ ${COMP_WORDS[place + 1]-} != = ]] || ((++place))
                        ((place += 2))
                        ;;
                    -[!-]* | --?*) ((++place)) ;;
                    *)
                        COMPREPLY=($(compgen -f -- "$current"))
                        return
                        ;;
                    esac
                done
                ((place > COMP_CWORD)) || option=
                case $option in
            \(values.joined(separator: "\n"))
                    *)
                        if [[ $current == -* ]]; then
                            COMPREPLY=($(compgen -W '\(names.joined(separator: " "))' -- "$current"))
                        else
                            \(Self.bash(first))
                        fi
                        ;;
                esac
            }
            complete -o filenames -F _\(function) \(program)
            """
    }

    private static func bash(_ completion: Option.Completion) -> String {
        switch completion {
        case .none: ":"
        case .words(let words): "COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$current\"))"
        case .files([]): "COMPREPLY=($(compgen -f -- \"$current\"))"
        case .files(let endings):
            "COMPREPLY=($(compgen -d -- \"$current\"; compgen -f -- \"$current\" | "
                + "grep -E '\\.(\(endings.joined(separator: "|")))$'))"
        case .directories: "COMPREPLY=($(compgen -d -- \"$current\"))"
        case .command: "COMPREPLY=($(compgen -c -- \"$current\"))"
        }
    }

    // MARK: - zsh

    private var zsh: String {
        let specifications = entries.flatMap { entry in
            let option = entry.option
            let escaped = Self.escape(Self.summary(of: option), "[]\\")
            let summary = escaped.map { $0 == "'" ? "'\\''" : "\($0)" }.joined()
            return option.names.map { name in
                guard let value = option.value, option.wantsValue else { return "    '\(name)[\(summary)]'" }
                let message = value.lowercased().split(separator: ":").joined(separator: "\\:")
                let action = Self.zsh(entry.completion)
                return "    '*\(name)\(name.hasPrefix("--") ? "=" : "")[\(summary)]:\(message):\(action)'"
            }
        }
        return """
            #compdef \(program)
            _arguments -A '-*' \\
            \(specifications.joined(separator: " \\\n")) \\
                '1: :\(Self.zsh(first))' \\
                '*:: :_files'
            """
    }

    private static func zsh(_ completion: Option.Completion) -> String {
        switch completion {
        case .none: " "
        case .words(let words): "(\(words.joined(separator: " ")))"
        case .files([]): "_files"
        // A single ending in parentheses would be a condition on files.
        case .files(let endings) where endings.count == 1: "_files -g \"*.\(endings[0])\""
        case .files(let endings): "_files -g \"*.(\(endings.joined(separator: "|")))\""
        case .directories: "_files -/"
        case .command: "_command_names -e"
        }
    }

    // MARK: - fish

    private var fish: String {
        let lines = entries.map { entry in
            let option = entry.option
            let names = option.names.map { name in
                let letters = name.drop { $0 == "-" }
                return name.hasPrefix("--") ? "-l \(letters)" : letters.count == 1 ? "-s \(letters)" : "-o \(letters)"
            }
            let action = !option.wantsValue ? " -f" : Self.fish(entry.completion)
            let summary = Self.escape(Self.summary(of: option), "'\\")
            return
                "complete -c \(program) -n __\(function)_options \(names.joined(separator: " "))\(action) -d '\(summary)'"
        }
        return """
            # fish completion for \(program)
            function __\(function)_options
                set -l words (commandline -opc)
                set -e words[1]
                while set -q words[1]
                    switch $words[1]
                        case --
                            return 1
                        case \(namesWithValue.joined(separator: " "))
                            set -e words[1]
                        case '-?*'
                        case '*'
                            return 1
                    end
                    set -e words[1]
                end
            end
            \(lines.joined(separator: "\n"))
            """
    }

    private static func fish(_ completion: Option.Completion) -> String {
        switch completion {
        case .none, .command: " -x"
        case .words(let words): " -x -a '\(words.joined(separator: " "))'"
        case .files: " -r -F"
        case .directories: " -x -a '(__fish_complete_directories)'"
        }
    }
}
