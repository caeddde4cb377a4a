// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;

namespace Weft.Bench;

/// <summary>Starts and runs other programs.</summary>
internal static class Tool
{
    /// <summary>Runs to the end and returns what it printed; a failure shows everything.</summary>
    public static string Run(string program, params string[] arguments)
    {
        using var process = Open(program, arguments);
        var error = new System.Text.StringBuilder();
        process.ErrorDataReceived += (_, line) => error.AppendLine(line.Data);
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' failed with {process.ExitCode}: {output} {error}");
    }

    /// <summary>Starts a server; the caller stops it.</summary>
    public static Process Open(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PATH"] = $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin";
        return Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start.");
    }
}
