// SPDX-License-Identifier: Apache-2.0

using System.Text;

namespace Weft.Local.Agent;

/// <summary>What a container leaves behind to say why it ended.</summary>
internal static class TerminationMessage
{
    public const int MaxBytes = 4096;
    public const int MaxLogBytes = 2048;
    public const int MaxLogLines = 80;

    /// <summary>Its message file, or else the end of its log.</summary>
    /// <param name="logFile">Empty if the log shall not stand in.</param>
    public static string Read(string messageFile, string logFile)
    {
        var message = Tail(messageFile, MaxBytes, fromStart: true);
        if (message.Length > 0 || logFile.Length == 0)
        {
            return message;
        }

        // A line of the log: time, stream, tag, text.
        var lines = Tail(logFile, MaxLogBytes * 4, fromStart: false).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ', 4)).Where(parts => parts.Length == 4).Select(parts => parts[3]).TakeLast(MaxLogLines);
        var text = string.Concat(lines.Select(line => $"{line}\n"));
        return text.Length <= MaxLogBytes ? text : text[^MaxLogBytes..];
    }

    private static string Tail(string file, int bytes, bool fromStart)
    {
        if (file.Length == 0 || !File.Exists(file))
        {
            return "";
        }

        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = fromStart ? 0 : Math.Max(0, stream.Length - bytes);
        var buffer = new byte[bytes];
        return Encoding.UTF8.GetString(buffer, 0, stream.ReadAtLeast(buffer, bytes, throwOnEndOfStream: false));
    }
}
