// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Xunit;

namespace Weft.ApiServer.Tests;

/// <summary>
/// An API server in a process of its own, to be killed. It is this assembly's <see cref="Program"/>, or the real <c>weft api</c>
/// when WEFT_CRASH_PROGRAM is the path of weft.
/// </summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan _startLimit = TimeSpan.FromSeconds(90);
    private readonly Process _process;
    private readonly Task<string> _said;

    private ServerProcess(Process process, string folder)
    {
        _process = process;
        _said = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
        Client = ClientOf(Path.Combine(folder, "run", "api.sock"));
    }

    public HttpClient Client { get; }

    public int Id => _process.Id;

    /// <summary>Starts it and waits until it answers; <paramref name="before"/> are words before its own command line.</summary>
    public static Task<ServerProcess> StartAsync(string folder, params IReadOnlyList<string> before) => StartWithAsync(folder, null, before);

    /// <summary>The same with a store that is not its own file; null for the file.</summary>
    public static async Task<ServerProcess> StartWithAsync(string folder, string? store, params IReadOnlyList<string> before)
    {
        var weft = Environment.GetEnvironmentVariable("WEFT_CRASH_PROGRAM");
        string[] command = string.IsNullOrEmpty(weft)
            ? ["dotnet", "exec", typeof(ServerProcess).Assembly.Location, Program.Serve, folder]
            : [weft, "api"];
        string[] place = store is null ? [] : string.IsNullOrEmpty(weft) ? [store] : ["--store", store];
        string[] all = [.. before, .. command, .. place];
        var start = new ProcessStartInfo(all[0], all[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["WEFT_HOME"] = folder;
        start.Environment["WEFT_API_URL"] = "https://127.0.0.1:1";
        var server = new ServerProcess(Process.Start(start)!, folder);
        await server.WaitAsync();
        return server;
    }

    public async Task<(HttpStatusCode Code, JsonNode Body)> SendAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        }

        using var answer = await Client.SendAsync(request);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>kill -TERM; returns the exit code and what it said.</summary>
    public async Task<(int Code, string Said)> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await _process.WaitForExitAsync(limit.Token);
        return (_process.ExitCode, await _said);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static HttpClient ClientOf(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
            return new NetworkStream(connection, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost"),
    };

    /// <summary>As long as a start may take on a machine that is busy with other tests.</summary>
    private async Task WaitAsync()
    {
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var watch = Stopwatch.StartNew();
        while (!await AnswersAsync())
        {
            Assert.True(
                watch.Elapsed < _startLimit,
                $"it did not answer within {_startLimit.TotalSeconds} s, in which it ran for {_process.TotalProcessorTime.TotalSeconds:0.0} s");
            await again.WaitForNextTickAsync();
        }
    }

    private async Task<bool> AnswersAsync()
    {
        Assert.False(_process.HasExited, _process.HasExited ? $"the server ended: {await _said}" : "");
        try
        {
            using var answer = await Client.GetAsync("/readyz");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
