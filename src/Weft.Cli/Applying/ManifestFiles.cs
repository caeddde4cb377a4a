// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Dialects;
using Weft.Model.Diagnostics;

namespace Weft.Cli.Applying;

/// <summary>Finds and reads the YAML and JSON files that a command names.</summary>
internal static class ManifestFiles
{
    public const int MaxFiles = 2_000;

    private static readonly string[] _endings = [".yaml", ".yml", ".json"];

    /// <summary>True if a file's name says that it holds YAML or JSON.</summary>
    public static bool IsManifest(string file) => _endings.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase);

    /// <summary>Files in the order given; a folder stands for all files below it in the order of their names. <c>-</c> is standard input.</summary>
    public static IReadOnlyList<string> Find(IEnumerable<string> paths)
    {
        var files = new List<string>();
        foreach (var path in paths)
        {
            if (Directory.Exists(path))
            {
                files.AddRange(Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                    .Where(IsManifest)
                    .Order(StringComparer.Ordinal));
            }
            else if (path == "-" || File.Exists(path))
            {
                files.Add(path);
            }
            else
            {
                throw new CommandException(ExitCode.WrongUsage, $"There is no file or folder '{path}'.");
            }

            if (files.Count > MaxFiles)
            {
                throw new CommandException(ExitCode.WrongUsage, $"More than {MaxFiles} files; name a smaller folder.");
            }
        }

        return files.Count > 0 ? files : throw new CommandException(ExitCode.WrongUsage, "There is no YAML or JSON file there.");
    }

    public static ParsedText Read(string file)
    {
        try
        {
            var text = file == "-" ? Console.In.ReadToEnd() : File.ReadAllText(file);
            return Dialects.Dialects.Parse(file == "-" ? "stdin" : file, text);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(ExitCode.Failed, $"'{file}' cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>The objects of all files; anything wrong with one of them ends the command before something is changed.</summary>
    public static List<ManifestEntry> ReadObjects(IEnumerable<string> paths, Terminal terminal)
    {
        var objects = new List<ManifestEntry>();
        var errors = 0;
        foreach (var file in Find(paths))
        {
            var parsed = Read(file);
            foreach (var diagnostic in parsed.Diagnostics.Where(found => found.Severity != Severity.Info))
            {
                terminal.Say(diagnostic.ToString());
                errors += diagnostic.Severity == Severity.Error ? 1 : 0;
            }

            foreach (var read in parsed.Objects)
            {
                if (read.ToJson() is { } source)
                {
                    objects.Add(new ManifestEntry(source, read.Origin.Where));
                }
            }
        }

        return errors == 0
            ? objects
            : throw new CommandException(
                ExitCode.FoundProblems,
                $"{errors} problem{(errors == 1 ? "" : "s")} in the files. Nothing was changed.",
                "weft explain ID tells more about each.");
    }
}

/// <summary>An object of a file, and where in it.</summary>
internal sealed record ManifestEntry(JsonObject Source, string Where);
