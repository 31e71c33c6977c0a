/**
 * Command line: shell completion, generated from the table of commands and their help.
 *
 *     voxlane completion bash|zsh|fish
 */
import { oneOf } from './arguments';
import { print } from './output';
import { commandOf, type CommandModule, type TableEntry } from './script';
import { parsed, parseFlags } from './usage';

const HELP = `Usage: voxlane completion bash|zsh|fish

Prints a script that completes commands, flags and the values of flags. To install it:

  bash   voxlane completion bash > ~/.local/share/bash-completion/completions/voxlane
  zsh    voxlane completion zsh > "\${fpath[1]}/_voxlane"
  fish   voxlane completion fish > ~/.config/fish/completions/voxlane.fish

  --help   print this text
`;

/** A flag as described in the help of its command. */
export interface HelpFlag {
  /** With its dashes. */
  readonly name: string;
  /** Placeholder of its value, such as `FILE` or `exact|fast`; null for a flag without a value. */
  readonly value: string | null;
  readonly text: string;
}

interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly HelpFlag[];
}

async function main(args: readonly string[], table: readonly TableEntry[]): Promise<number> {
  const shell = parsed((): 'bash' | 'zsh' | 'fish' | null => {
    const { values, positionals } = parseFlags({ args: [...args], allowPositionals: true, options: { help: { type: 'boolean', short: 'h' } } });
    if (values.help) return null;
    if (positionals.length !== 1) throw new Error('expected one shell: bash, zsh or fish');
    return oneOf('the shell', positionals[0]!, ['bash', 'zsh', 'fish'] as const);
  });
  if (shell === null) {
    await print(HELP);
    return 0;
  }
  const commands = await Promise.all(
    table.map(async ({ name, summary, load }) => ({ name, summary, flags: flagsOf((await load()).HELP) })),
  );
  await print({ bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands));
  return 0;
}

/** Flags of all commands, listed in the help of the dispatcher. */
const QUIET: HelpFlag = { name: '--quiet', value: null, text: 'print only results and failures' };

/** The flags in a help text, in its order. Some lines describe several flags. */
export function flagsOf(help: string): HelpFlag[] {
  const lines = help.split('\n');
  const found = lines.flatMap((line, index) => {
    const [, definition, text] = /^ {2}(--.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    if (definition === undefined) return [];
    const description = (text ?? lines[index + 1] ?? '').trim();
    return definition.split(/, (?=--)/).map((part): HelpFlag => {
      const [, name = '', value] = /^(--[\w-]+)(?:,? -\w)?(?: (.*))?$/.exec(part) ?? [];
      return { name, value: value ?? null, text: description };
    });
  });
  return [...found.filter(({ name }) => name !== ''), QUIET];
}

/** The words that a value can be; empty if it is free text. */
const choicesOf = ({ value }: HelpFlag): string[] => (value !== null && /^[\w.-]+(\|[\w.-]+)+$/.test(value) ? value.split('|') : []);

/** The first words of all commands, each once. */
const firstWords = (commands: readonly CompletedCommand[]): string[] => [...new Set(commands.map(({ name }) => name.split(' ')[0]!))];

/** Commands of two words, by their first word. */
function groupsOf(commands: readonly CompletedCommand[]): Map<string, CompletedCommand[]> {
  const groups = new Map<string, CompletedCommand[]>();
  for (const command of commands) {
    const [first, second] = command.name.split(' ');
    if (second !== undefined) groups.set(first!, [...(groups.get(first!) ?? []), command]);
  }
  return groups;
}

const secondWord = ({ name }: CompletedCommand): string => name.split(' ')[1]!;

export function bashScript(commands: readonly CompletedCommand[]): string {
  const groups = [...groupsOf(commands)].map(
    ([first, members]) => `    ${first}) [ "$COMP_CWORD" -eq 2 ] && { COMPREPLY=($(compgen -W '${members.map(secondWord).join(' ')}' -- "$word")); return; }; name="$name \${COMP_WORDS[2]}" ;;\n`,
  );
  const values = commands.flatMap(({ name, flags }) =>
    flags.filter((flag) => choicesOf(flag).length > 0).map((flag) => `    '${name} ${flag.name}') words='${choicesOf(flag).join(' ')}' ;;\n`),
  );
  const flags = commands.map(({ name, flags: own }) => `    '${name}') words='${own.map((flag) => flag.name).join(' ')}' ;;\n`);
  return `# Completion of voxlane in bash.
_voxlane() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" name="\${COMP_WORDS[1]}" words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${[...firstWords(commands), '--help', '--version', '--quiet'].join(' ')}' -- "$word"))
    return
  fi
  case "$name" in
${groups.join('')}    *) ;;
  esac
  case "$name $before" in
${values.join('')}    *) ;;
  esac
  if [ -z "$words" ] && [ "\${word#-}" != "$word" ]; then
    case "$name" in
${flags.join('').replaceAll(/^/gm, '  ').trimEnd()}
      *) ;;
    esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$word")); fi
}
# Without a match, file names are completed.
complete -o default -F _voxlane voxlane
`;
}

export function zshScript(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => text.replace(/[[\]:\\]/g, String.raw`\$&`).replaceAll("'", String.raw`'\''`);
  const described = (pairs: readonly (readonly [string, string])[]): string => pairs.map(([name, text]) => `'${name}:${quote(text)}'`).join(' ');
  const spec = (flag: HelpFlag): string => {
    const choices = choicesOf(flag);
    const action = choices.length > 0 ? `(${choices.join(' ')})` : flag.value === 'DIR' ? '_files -/' : '_files';
    return flag.value === null ? `'${flag.name}[${quote(flag.text)}]'` : `'*${flag.name}=[${quote(flag.text)}]:${quote(flag.value)}:${action}'`;
  };
  const groups = groupsOf(commands);
  const summaryOf = (word: string): string => commands.find(({ name }) => name === word)?.summary ?? 'commands for whole corpora';
  const cases = commands.map(({ name, flags }) => `    '${name}') _arguments ${flags.map(spec).join(' ')} '*:file:_files' ;;\n`);
  const groupCases = [...groups].map(
    ([first, members]) => `    ${first})
      if (( CURRENT == 2 )); then
        names=(${described(members.map((member) => [secondWord(member), member.summary]))})
        _describe command names
        return
      fi
      name="$name $words[2]"; shift words; (( CURRENT-- )) ;;\n`,
  );
  return `#compdef voxlane
# Completion of voxlane in zsh.
_voxlane() {
  local -a names
  if (( CURRENT == 2 )); then
    names=(${described(firstWords(commands).map((word) => [word, summaryOf(word)]))})
    _describe command names
    return
  fi
  local name="$words[2]"
  shift words; (( CURRENT-- ))
  case "$name" in
${groupCases.join('')}    *) ;;
  esac
  case "$name" in
${cases.join('')}    *) _files ;;
  esac
}
if [ "$funcstack[1]" = "_voxlane" ]; then _voxlane "$@"; else compdef _voxlane voxlane; fi
`;
}

export function fishScript(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
  const seen = (name: string): string => {
    const [first, second] = name.split(' ');
    return second === undefined ? `__fish_seen_subcommand_from ${first}` : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
  };
  const groups = groupsOf(commands);
  const lines = [
    ...firstWords(commands).map((word) => `complete -c voxlane -f -n __fish_use_subcommand -a ${word} -d ${quote(commands.find(({ name }) => name === word)?.summary ?? 'commands for whole corpora')}`),
    ...[...groups].flatMap(([first, members]) => {
      const words = members.map(secondWord).join(' ');
      return members.map((member) => `complete -c voxlane -f -n '__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${words}' -a ${secondWord(member)} -d ${quote(member.summary)}`);
    }),
    ...commands.flatMap(({ name, flags }) =>
      flags.map((flag) => {
        const choices = choicesOf(flag);
        const value = choices.length > 0 ? ` -xa ${quote(choices.join(' '))}` : flag.value === null ? '' : ' -r';
        return `complete -c voxlane -n '${seen(name)}' -l ${flag.name.slice(2)}${value} -d ${quote(flag.text)}`;
      })),
  ];
  return `# Completion of voxlane in fish.\n${lines.join('\n')}\n`;
}

/** The command for these commands. */
export const completionOf = (table: readonly TableEntry[]): CommandModule => ({ HELP, run: commandOf('completion', 1, (args) => main(args, table)) });
