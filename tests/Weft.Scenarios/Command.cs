// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Text;

namespace Weft.Scenarios;

/// <summary>Runs programs with a deadline and keeps what they print.</summary>
internal static class Command
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(120);

    public static async Task<CommandResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string>? environment = null,
        string? input = null,
        TimeSpan? deadline = null)
    {
        using var process = Open(program, arguments, environment);
        var line = $"{Path.GetFileName(program)} {string.Join(' ', process.StartInfo.ArgumentList)}";
        var output = new StringBuilder();
        var error = new StringBuilder();
        process.OutputDataReceived += (_, args) => Append(output, args.Data);
        process.ErrorDataReceived += (_, args) => Append(error, args.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        using var timeout = new CancellationTokenSource(deadline ?? _deadline);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"'{line}' did not end in time.\n{output}\n{error}", exception);
        }

        return new CommandResult(line, process.ExitCode, output.ToString(), error.ToString());
    }

    /// <summary>A process that the caller starts and stops itself; its output goes nowhere unless it is read.</summary>
    public static Process Open(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            start.Environment[name] = value;
        }

        return new Process { StartInfo = start };
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }
}
