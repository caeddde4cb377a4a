// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Agent;

/// <summary>
/// A byte that a shell writes to its errors when it has entered where its command is to run: what came before says what went wrong, what
/// comes after is the command's.
/// </summary>
internal static class ReadyMark
{
    /// <summary>The shell line that writes it.</summary>
    public const string Line = "printf '\\036' >&2";

    private const byte Mark = 0x1e;
    private const int MaxProblemBytes = 4096;

    /// <summary>Waits for the mark. The problem is null when it came, and may be empty when it did not; early are the command's first errors.</summary>
    public static async Task<(string? Problem, byte[] Early)> WaitAsync(Stream errors, CancellationToken ct)
    {
        var said = new List<byte>();
        var buffer = new byte[1024];
        while (said.Count < MaxProblemBytes && await errors.ReadAsync(buffer, ct) is var count and > 0)
        {
            var mark = buffer.AsSpan(0, count).IndexOf(Mark);
            if (mark >= 0)
            {
                return (null, buffer[(mark + 1)..count]);
            }

            said.AddRange(buffer.AsSpan(0, count));
        }

        return (Encoding.UTF8.GetString([.. said]).Trim(), []);
    }
}
