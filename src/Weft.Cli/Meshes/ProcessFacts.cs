// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Runtime.InteropServices;

namespace Weft.Cli.Meshes;

/// <summary>What /proc says about processes, and signals to them.</summary>
internal static partial class ProcessFacts
{
    public const int Terminate = 15;
    public const int Kill = 9;

    private const int StartField = 19;

    /// <summary>When a process started, in clock ticks since boot; null if there is none (or only its corpse).</summary>
    public static long? StartOf(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The name stands in parentheses and may hold anything: count from the last one.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : long.Parse(fields[StartField], CultureInfo.InvariantCulture);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static IReadOnlyList<int> ChildrenOf(int pid)
    {
        try
        {
            return [.. Directory.GetDirectories($"/proc/{pid}/task")
                .SelectMany(task => File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>A process and all below it.</summary>
    public static IEnumerable<int> Tree(int pid) => ChildrenOf(pid).SelectMany(Tree).Prepend(pid);

    public static string[] CommandLineOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public static void Signal(int pid, int signal) => _ = Send(pid, signal);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int pid, int signal);
}
