// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Cli.Output;
using Weft.Local.Network;

namespace Weft.Cli.Running;

/// <summary>Reads what people write behind the flags of <c>weft run</c>, and says what to write instead.</summary>
internal static partial class RunWords
{
    private const int MaxNameLength = 50;

    /// <summary>Programs that run somebody else's: the folder says better what it is.</summary>
    private static readonly string[] _interpreters =
        ["dotnet", "node", "npm", "npx", "yarn", "pnpm", "deno", "bun", "python", "python3", "ruby", "java", "go", "cargo", "make", "sh", "bash", "perl", "php", "env"];

    private static readonly string[] _protocols = ["http", "http2", "grpc", "https", "tcp"];

    /// <summary><c>8080</c>, <c>9000/grpc</c>, or <c>none</c> alone.</summary>
    public static IReadOnlyList<RunPort> Ports(IReadOnlyList<string> words)
    {
        if (words is ["none"])
        {
            return [];
        }

        var ports = words.Select(Port).ToList();
        return ports.DistinctBy(port => port.Number).Count() == ports.Count
            ? ports
            : throw Wrong($"--port names a port twice: {string.Join(' ', words)}", "Each port stands once, with its protocol: --port 8080 --port 9000/grpc");
    }

    /// <summary><c>8080</c> or <c>3000:8080</c>.</summary>
    public static PublishedPort Published(string word, IReadOnlyList<RunPort> ports)
    {
        if (!PublishedPort.TryParse(word, out var published))
        {
            throw Wrong($"--publish {word} names no port.", "Write --publish PORT or --publish HOST:PORT; a port is a number from 1 to 65535.");
        }

        return ports.Any(port => port.Number == published.Port)
            ? published
            : throw Wrong(
                $"--publish {word} leads to port {published.Port}, which is not one of the program's.",
                ports.Count == 0 ? "A program with --port none has nothing to publish." : $"Write --publish {published.Host}:{ports[0].Number}, or add --port {published.Port}.");
    }

    /// <summary><c>NAME=VALUE</c>, or <c>NAME</c> for the value that the caller has.</summary>
    public static KeyValuePair<string, string> Variable(string word, Func<string, string?> caller)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? word : word[..equals];
        if (!VariableName().IsMatch(name))
        {
            throw Wrong($"--env {word} names no variable.", "Write --env NAME=VALUE.");
        }

        return new(name, equals >= 0
            ? word[(equals + 1)..]
            : caller(name) ?? throw Wrong($"--env {name}: this shell has no variable of that name.", $"Write --env {name}=VALUE."));
    }

    /// <summary>The name that was given, or one made of the program's, or of the folder's where the program is an interpreter.</summary>
    public static string Name(string? given, IReadOnlyList<string> command, string folder)
    {
        if (given is not null)
        {
            return given.Length <= MaxNameLength && ObjectName().IsMatch(given)
                ? given
                : throw Wrong($"'{given}' is no name for a workload.", $"Small letters, digits and '-', a letter first, at most {MaxNameLength}.");
        }

        var program = Path.GetFileNameWithoutExtension(command[0]);
        var source = _interpreters.Contains(program, StringComparer.Ordinal) ? Path.GetFileName(folder) : program;
        var name = NoNameCharacters().Replace(source.ToLowerInvariant(), "-").Trim('-');
        name = name[..Math.Min(name.Length, MaxNameLength)].TrimEnd('-');
        return ObjectName().IsMatch(name) ? name : throw Wrong($"'{source}' makes no good name.", "Give one: --name web");
    }

    private static RunPort Port(string word)
    {
        var slash = word.IndexOf('/', StringComparison.Ordinal);
        var number = Number(slash < 0 ? word : word[..slash], "--port", word);
        var protocol = slash < 0 ? null : word[(slash + 1)..];
        return protocol is null || _protocols.Contains(protocol, StringComparer.Ordinal)
            ? new RunPort(number, protocol)
            : throw Wrong($"--port {word}: '{protocol}' is no protocol.", $"One of {string.Join(", ", _protocols)}, or none to have it found out.");
    }

    private static int Number(string text, string flag, string word) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536
            ? number
            : throw Wrong($"{flag} {word}: '{text}' is no port.", "A port is a number from 1 to 65535.");

    private static CommandException Wrong(string fact, string cure) => new(ExitCode.WrongUsage, fact, cure);

    [GeneratedRegex("^[a-z]([-a-z0-9]*[a-z0-9])?$")]
    private static partial Regex ObjectName();

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NoNameCharacters();

    [GeneratedRegex("^[A-Za-z_][A-Za-z0-9_.-]*$")]
    private static partial Regex VariableName();
}
