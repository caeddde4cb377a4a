// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Kubernetes;

namespace Weft.Local.Agent;

/// <summary>
/// Which command of the host stands for an image. Containers that bring a command need none. The built-in table is extended,
/// and overruled, by the user's file: lines of <c>image: command and arguments</c>, with <c>{name}</c>, <c>{tag}</c> and
/// <c>{port}</c> (or <c>{port:80}</c>, with what else it is) filled in from the image and the first container port. What stands behind a
/// lone <c>|</c> are the arguments that those of a container take the place of; without one, all but the first word are.
/// </summary>
internal sealed partial class ImageTable
{
    /// <summary>Longer files and more lines than these are refused.</summary>
    public const int MaxFileBytes = 256 * 1024;
    public const int MaxEntries = 2000;

    private const string DefaultPort = "8080";

    /// <summary>As the image's own first program: flags and addresses are curl's, anything else is a command.</summary>
    private const string Curl = "sh -c 'case \"$1\" in -*|http*|*.*) exec curl \"$@\";; *) exec \"$@\";; esac' sh | sleep infinity";

    private static readonly Dictionary<string, string> _builtIn = new(StringComparer.Ordinal)
    {
        ["sample"] = "weft-sample --port {port} --name {name}",
        ["weft-sample"] = "weft-sample --port {port} --name {name}",
        ["my-app"] = "weft-sample --port {port} --name {name} --version {tag}",
        ["nginx"] = "weft-sample stand-in nginx --version {tag} --port {port:80} |",
        ["httpbin"] = "weft-sample stand-in httpbin --port {port:80} |",
        ["go-httpbin"] = "weft-sample stand-in httpbin --port {port:8080} |",
        ["http-echo"] = "weft-sample stand-in http-echo | -text=hello-world",
        ["fortio"] = "weft-sample stand-in fortio --port {port:8080} | server",
        ["examples-helloworld-v1"] = "weft-sample stand-in helloworld --version v1 --port {port:5000}",
        ["examples-helloworld-v2"] = "weft-sample stand-in helloworld --version v2 --port {port:5000}",
        ["examples-bookinfo-productpage-v1"] = "weft-sample stand-in productpage --version v1 --port {port:9080}",
        ["examples-bookinfo-details-v1"] = "weft-sample stand-in details --version v1 --port {port:9080}",
        ["examples-bookinfo-details-v2"] = "weft-sample stand-in details --version v2 --port {port:9080}",
        ["examples-bookinfo-ratings-v1"] = "weft-sample stand-in ratings --version v1 --port {port:9080}",
        ["examples-bookinfo-reviews-v1"] = "weft-sample stand-in reviews --version v1 --port {port:9080}",
        ["examples-bookinfo-reviews-v2"] = "weft-sample stand-in reviews --version v2 --port {port:9080}",
        ["examples-bookinfo-reviews-v3"] = "weft-sample stand-in reviews --version v3 --port {port:9080}",
        ["curl"] = Curl,
        ["curlimages/curl"] = Curl,
        ["sleep"] = "sleep infinity",
        ["pause"] = "sleep infinity",
        ["busybox"] = "| sh",
        ["alpine"] = "| sh",
        ["ubuntu"] = "| bash",
        ["debian"] = "| bash",
        ["python"] = "| python3",
        ["node"] = "| node",
        ["redis"] = "| redis-server --protected-mode no --save ''",
        ["mysql"] = "| mysqld",
        ["postgres"] = "| postgres",
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
        var words = Words(template, "").ConvertAll(word => PortPlace().Replace(word, found => port?.ToString(CultureInfo.InvariantCulture)
                ?? (found.Groups[1].Success ? found.Groups[1].Value : DefaultPort))
            .Replace("{name}", shortName, StringComparison.Ordinal)
            .Replace("{tag}", tag, StringComparison.Ordinal));

        // As with images: args take the place of the arguments, not of the program.
        var bar = words.IndexOf("|");
        var program = bar < 0 ? words[..1] : words[..bar];
        var arguments = container.Arguments.Count > 0 ? container.Arguments : words[(bar < 0 ? 1 : bar + 1)..];
        return [.. program, .. arguments];
    }

    /// <summary>What must be installed for an image whose program this machine does not have; null if nothing is missing.</summary>
    public static string? Missing(string image, IReadOnlyList<string> words, string searchPath)
    {
        var program = words.Count > 0 ? words[0] : "";
        var found = program.Contains('/', StringComparison.Ordinal)
            ? File.Exists(program)
            : searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Any(folder => File.Exists(Path.Combine(folder, program)));
        return found ? null : $"For image '{image}' the program '{program}' of this machine is run, and it is not there. Install it, or map the image to another command";
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

    [GeneratedRegex("\\{port(?::([0-9]+))?\\}")]
    private static partial Regex PortPlace();
}
