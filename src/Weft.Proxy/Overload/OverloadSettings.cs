// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Proxy.Overload;

/// <summary>What the proxy may use; 0 for no limit. The levels begin at a part of a limit and end <see cref="Slack"/> below that.</summary>
/// <param name="MemoryBytes">Resident memory.</param>
/// <param name="Descriptors">Open sockets and files.</param>
/// <param name="LoopDelayMs">How long a loop keeps ready connections waiting.</param>
internal sealed record OverloadSettings(long MemoryBytes, int Descriptors, int LoopDelayMs)
{
    internal const double KeepAliveFrom = 0.90;
    internal const double NewWorkFrom = 0.95;
    internal const double IdleConnectionsFrom = 0.98;

    /// <summary>A level that was entered is left only so far below its beginning, so that it does not flicker.</summary>
    internal const double Slack = 0.03;

    /// <summary>Well above any healthy loop, and below what clients take for an outage.</summary>
    internal const int DefaultLoopDelayMs = 2000;

    private const string MemoryFile = "/sys/fs/cgroup/memory.max";
    private const string LimitsFile = "/proc/self/limits";

    /// <summary>What the bootstrap says; where it says nothing, the control group's memory and the process's descriptor limit.</summary>
    internal static OverloadSettings Read(long? memoryBytes, int? descriptors, int? loopDelayMs) => new(
        memoryBytes ?? ReadMemoryLimit(TryReadText(MemoryFile)),
        descriptors ?? ReadDescriptorLimit(TryReadText(LimitsFile)),
        loopDelayMs ?? DefaultLoopDelayMs);

    /// <summary>Reads memory.max: a number, or <c>max</c> for none.</summary>
    internal static long ReadMemoryLimit(string text) =>
        long.TryParse(text.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;

    /// <summary>Reads the soft limit from the line <c>Max open files</c>.</summary>
    internal static int ReadDescriptorLimit(string text)
    {
        const string Name = "Max open files";
        var at = text.IndexOf(Name, StringComparison.Ordinal);
        var words = at < 0 ? [] : text[(at + Name.Length)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : 0;
    }

    private static string TryReadText(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
