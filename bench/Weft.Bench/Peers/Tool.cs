// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text;

namespace Weft.Bench.Peers;

/// <summary>Starts and runs other programs. What was started is stopped when the harness ends, however it ends.</summary>
internal static class Tool
{
    private const int KeptCharacters = 8_000;

    private static readonly Lock _turn = new();
    private static readonly List<Process> _servers = [];
    private static readonly Dictionary<Process, StringBuilder> _said = [];

    /// <summary>Runs to the end and returns what it printed; a failure throws with everything it said.</summary>
    public static string Run(string program, params string[] arguments)
    {
        var (code, output, error) = Finish(program, arguments);
        return code == 0
            ? output
            : throw new BenchException($"'{program} {string.Join(' ', arguments)}' failed with {code}: {output} {error}");
    }

    /// <summary>Everything it said, whatever its exit code; for questions such as a version.</summary>
    public static string Ask(string program, params string[] arguments)
    {
        var (_, output, error) = Finish(program, arguments);
        return output + error;
    }

    /// <summary>Starts a server; <see cref="Stop"/> ends it.</summary>
    public static Process Open(string program, params string[] arguments)
    {
        var process = Start(program, arguments);
        var said = new StringBuilder();
        lock (_turn)
        {
            _servers.Add(process);
            _said[process] = said;
        }

        // Read all the time: a full pipe would stop the server.
        process.OutputDataReceived += (_, line) => Keep(said, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(said, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>What a server has said lately, for a message that explains why it does not serve.</summary>
    public static string LastWordsOf(Process server)
    {
        lock (_turn)
        {
            return _said.TryGetValue(server, out var said) ? said.ToString() : "";
        }
    }

    public static void Stop(Process server)
    {
        lock (_turn)
        {
            _servers.Remove(server);
            _said.Remove(server);
        }

        try
        {
            // Each is one process; ending a tree would first stop its members, and leave them so if this process ended meanwhile.
            server.Kill();
            server.WaitForExit();
        }
        catch (InvalidOperationException)
        {
            // A signal's handler was faster.
        }

        server.Dispose();
    }

    /// <summary>Ends every server that still runs.</summary>
    public static void StopAll()
    {
        Process[] left;
        lock (_turn)
        {
            left = [.. _servers];
        }

        foreach (var server in left)
        {
            Stop(server);
        }
    }

    private static (int Code, string Output, string Error) Finish(string program, string[] arguments)
    {
        using var process = Start(program, arguments);
        var error = new StringBuilder();
        process.ErrorDataReceived += (_, line) => error.AppendLine(line.Data);
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.ToString());
    }

    private static Process Start(string program, string[] arguments)
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

        try
        {
            return Process.Start(start) ?? throw new BenchException($"'{program}' did not start.");
        }
        catch (System.ComponentModel.Win32Exception failure)
        {
            throw new BenchException($"'{program}' cannot be started: {failure.Message}. bench/README.md lists what is needed.", failure);
        }
    }

    private static void Keep(StringBuilder said, string? line)
    {
        lock (_turn)
        {
            if (line is not null && said.Length < KeptCharacters)
            {
                said.AppendLine(line);
            }
        }
    }
}
