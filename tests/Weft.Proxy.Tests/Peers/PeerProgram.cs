// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Globalization;
using System.Text;
using Weft.Testing;
using Xunit;

namespace Weft.Proxy.Tests.Peers;

/// <summary>A client or server by others, run as a process; killed at the end with all that it said.</summary>
internal sealed class PeerProgram : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly TaskCompletionSource<int> _port = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private PeerProgram(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.Environment["NODE_PATH"] = Modules;
        _process = Process.Start(start)!;
        _process.StandardInput.Close();
        _process.OutputDataReceived += Hear;
        _process.ErrorDataReceived += Hear;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private static string Modules => RepositoryRoot.File("artifacts", "tools", "peers", "node_modules");

    internal string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    /// <summary>Runs it to its end; the text holds both of its outputs.</summary>
    internal static async Task<(int Exit, string Said)> RunAsync(string program, params string[] arguments)
    {
        using var peer = new PeerProgram(program, arguments);
        using var limit = new CancellationTokenSource(_patience);
        try
        {
            await peer._process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end in {_patience}; it said:\n{peer.Said}");
        }

        return (peer._process.ExitCode, peer.Said);
    }

    /// <summary>Runs one of the scripts beside this file to its end.</summary>
    internal static Task<(int Exit, string Said)> RunScriptAsync(string script, params string[] arguments) => RunAsync("node", [Script(script), .. arguments]);

    /// <summary>Starts one of the scripts beside this file, a server that says <c>port N</c> when it listens.</summary>
    internal static async Task<(PeerProgram Server, int Port)> ServeAsync(string script)
    {
        var server = new PeerProgram("node", [Script(script)]);
        try
        {
            return (server, await server._port.Task.WaitAsync(_patience));
        }
        catch (TimeoutException)
        {
            Assert.Fail($"{script} names no port; it said:\n{server.Said}");
            throw;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    private static string Script(string name)
    {
        Assert.True(Directory.Exists(Modules), $"{Modules} is missing; ./test fetches it.");
        return RepositoryRoot.File("tests", "Weft.Proxy.Tests", "Peers", "node", name);
    }

    private void Hear(object sender, DataReceivedEventArgs heard)
    {
        if (heard.Data is not { } line)
        {
            return;
        }

        lock (_said)
        {
            _said.Append(line).Append('\n');
        }

        if (line.StartsWith("port ", StringComparison.Ordinal))
        {
            _port.TrySetResult(int.Parse(line.AsSpan(5), CultureInfo.InvariantCulture));
        }
    }
}
