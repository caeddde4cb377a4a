// SPDX-License-Identifier: Apache-2.0

using Weft.Cli.Output;
using Weft.Dialects.Reading;

namespace Weft.Cli.Running;

/// <summary>Finds the program that a command line means, as the caller's shell would.</summary>
internal static class ProgramSearch
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Its absolute path; ends the command if there is none.</summary>
    public static string Find(string word, string folder, string searchPath)
    {
        if (word.Contains('/', StringComparison.Ordinal))
        {
            var file = Path.GetFullPath(word, folder);
            return IsProgram(file)
                ? file
                : throw new CommandException(
                    ExitCode.WrongUsage,
                    File.Exists(file) ? $"'{word}' may not be executed." : Directory.Exists(file) ? $"'{word}' is a folder." : $"There is no program '{word}' in '{folder}'.",
                    File.Exists(file) ? $"chmod +x {word}    or name its interpreter before it" : null);
        }

        var folders = searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries);
        return folders.Select(place => Path.Combine(Path.GetFullPath(place, folder), word)).FirstOrDefault(IsProgram)
            ?? throw new CommandException(ExitCode.WrongUsage, $"There is no program '{word}' on the PATH.", Cure(word, folder, folders));
    }

    private static string? Cure(string word, string folder, string[] folders)
    {
        if (File.Exists(Path.Combine(folder, word)))
        {
            return $"It is in this folder: write ./{word}";
        }

        var near = NearestName.Of(word, folders.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Select(file => Path.GetFileName(file)));
        return near is null ? null : $"Did you mean '{near}'?";
    }

    private static bool IsProgram(string file) => File.Exists(file) && (File.GetUnixFileMode(file) & Executable) != UnixFileMode.None;
}
