// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>
/// Which command of the host stands for an image. Containers that bring a command need none. The built-in table is extended,
/// and overruled, by the user's file: lines of <c>image: command and arguments</c>, with <c>{name}</c>, <c>{tag}</c> and
/// <c>{port}</c> filled in from the image and the first container port.
/// </summary>
internal sealed class ImageTable
{
    /// <summary>Longer files and more lines than these are refused.</summary>
    public const int MaxFileBytes = 256 * 1024;
    public const int MaxEntries = 2000;

    private const string DefaultPort = "8080";

    private static readonly Dictionary<string, string> _builtIn = new(StringComparer.Ordinal)
    {
        ["sample"] = "weft-sample --port {port} --name {name}",
        ["weft-sample"] = "weft-sample --port {port} --name {name}",
        ["my-app"] = "weft-sample --port {port} --name {name} --version {tag}",
        ["nginx"] = "weft-sample --port {port} --name {name}",
        ["httpbin"] = "weft-sample --port {port} --name {name}",
        ["go-httpbin"] = "weft-sample --port {port} --name {name}",
        ["curl"] = "sleep infinity",
        ["sleep"] = "sleep infinity",
        ["pause"] = "sleep infinity",
    };

    private readonly IReadOnlyDictionary<string, string> _entries;

    private ImageTable(IReadOnlyDictionary<string, string> entries)
    {
        _entries = entries;
    }

    /// <summary>The built-in table with the user's file on top; throws <see cref="FormatException"/> with file and line.</summary>
    public static ImageTable Read(string file)
    {
        var entries = new Dictionary<string, string>(_builtIn, StringComparer.Ordinal);
        if (File.Exists(file))
        {
            if (new FileInfo(file).Length > MaxFileBytes)
            {
                throw new FormatException($"'{file}' is longer than {MaxFileBytes} bytes.");
            }

            Parse(File.ReadAllLines(file), file, entries);
        }

        return new ImageTable(entries);
    }

    /// <summary>The words to run for a container; null if nothing stands for its image.</summary>
    public IReadOnlyList<string>? Find(ContainerSpec container)
    {
        if (container.Command.Count > 0)
        {
            return [.. container.Command, .. container.Arguments];
        }

        var (repository, tag) = Split(container.Image);
        var shortName = repository[(repository.LastIndexOf('/') + 1)..];
        var template = _entries.GetValueOrDefault(container.Image)
            ?? _entries.GetValueOrDefault(repository)
            ?? _entries.GetValueOrDefault(shortName);
        if (template is null)
        {
            return null;
        }

        var port = container.Source.Objects("ports").FirstOrDefault()?.Number("containerPort");
        string[] words = [.. Words(template, "").Select(word => word
            .Replace("{name}", shortName, StringComparison.Ordinal)
            .Replace("{tag}", tag, StringComparison.Ordinal)
            .Replace("{port}", port?.ToString(CultureInfo.InvariantCulture) ?? DefaultPort, StringComparison.Ordinal))];

        // As with images: args take the place of the arguments, not of the program.
        return container.Arguments.Count > 0 ? [words[0], .. container.Arguments] : words;
    }

    internal static void Parse(IReadOnlyList<string> lines, string file, Dictionary<string, string> entries)
    {
        var added = 0;
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line.StartsWith('#') || line == "---")
            {
                continue;
            }

            var where = $"{file}:{i + 1}";
            if (lines[i][0] is ' ' or '\t' or '-')
            {
                throw new FormatException($"{where}: Write one 'image: command' a line, without indentation or lists.");
            }

            // The colon before the command is followed by a space; the one before a tag is not.
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (colon <= 0)
            {
                throw new FormatException($"{where}: '{line}' has no command. Write 'image: command and arguments'.");
            }

            var command = line[(colon + 2)..].Trim();
            _ = Words(command, where);
            if (++added > MaxEntries)
            {
                throw new FormatException($"{where}: More than {MaxEntries} images are listed.");
            }

            entries[line[..colon].Trim('"', '\'', ' ')] = command;
        }
    }

    /// <summary>Splits a command at spaces outside quotes.</summary>
    private static List<string> Words(string command, string where)
    {
        var words = new List<string>();
        var word = new System.Text.StringBuilder();
        var quote = '\0';
        var open = false;
        foreach (var c in command)
        {
            if (quote != '\0' ? c == quote : c is '"' or '\'')
            {
                quote = quote == '\0' ? c : '\0';
                open = true;
            }
            else if (c == ' ' && quote == '\0')
            {
                Flush();
            }
            else
            {
                word.Append(c);
                open = true;
            }
        }

        if (quote != '\0')
        {
            throw new FormatException($"{where}: A quote in '{command}' is not closed.");
        }

        Flush();
        return words.Count > 0 ? words : throw new FormatException($"{where}: The command is empty.");

        void Flush()
        {
            if (open)
            {
                words.Add(word.ToString());
                word.Clear();
                open = false;
            }
        }
    }

    private static (string Repository, string Tag) Split(string image)
    {
        var name = image.Split('@')[0];
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf('/') ? (name[..colon], name[(colon + 1)..]) : (name, "latest");
    }
}
