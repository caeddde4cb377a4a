// SPDX-License-Identifier: Apache-2.0

using System.Globalization;

namespace Weft.Local.Processes;

/// <summary>Reads what the kernel says about processes.</summary>
internal static class ProcessTable
{
    /// <summary>A child of the process, or 0.</summary>
    public static int FirstChildOf(int processId)
    {
        var text = TryRead($"/proc/{processId}/task/{processId}/children");
        var first = text?.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
    }

    /// <summary>True if the process catches the signal, or has blocked it to read it from a file.</summary>
    public static bool Handles(int processId, int signal)
    {
        var bit = 1UL << (signal - 1);
        foreach (var line in (TryRead($"/proc/{processId}/status") ?? "").Split('\n'))
        {
            if ((line.StartsWith("SigCgt:", StringComparison.Ordinal) || line.StartsWith("SigBlk:", StringComparison.Ordinal))
                && ulong.TryParse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask)
                && (mask & bit) != 0)
            {
                return true;
            }
        }

        return false;
    }

    private static string? TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
