// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.ApiServer;
using Weft.Kubernetes;
using Weft.Local;
using Weft.Local.Machines;
using Weft.Testing;

namespace Weft.Cli.Tests.Machines;

/// <summary>A machine's certificate over the years, against a real API server behind its door; the clock of both is moved by hand.</summary>
public sealed class RenewalTests : IAsyncLifetime
{
    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);
    private static readonly CancellationToken _none = CancellationToken.None;

    private readonly ManualClock _clock = new(TimeProvider.System.GetUtcNow());
    private readonly TemporaryFolder _folder = new();
    private readonly Said _said = new();
    private readonly CancellationTokenSource _stop = new();
    private MeshHome _first = null!;
    private MeshHome _second = null!;
    private ApiServerHost _api = null!;
    private MachineDoor _door = null!;
    private MachineRelays _relays = null!;
    private Machine _machine = null!;
    private Task _renewing = Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _first = MeshHome.Open(Path.Combine(_folder.Path, "first"));
        _second = MeshHome.Open(Path.Combine(_folder.Path, "second"));
        var options = new ApiServerOptions { PlainSocket = _first.ApiSocket, TlsSocket = _first.ApiTlsSocket, DataDirectory = _first.Database };
        _api = new ApiServerHost(options, AdmissionHooks.None, _clock, NullLoggerFactory.Instance);
        await _api.StartAsync(_none);
        var address = FreeAddress();
        _door = new MachineDoor(_first, address, NullLogger.Instance);
        _machine = await JoinAsync(address);
        _relays = new MachineRelays(_second, _machine, NullLogger.Instance);
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await _renewing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _relays.Dispose();
        _door.Dispose();
        await _api.DisposeAsync();
        _stop.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_certificate_is_another_long_before_it_ends_and_the_next_connection_shows_it()
    {
        var (begins, ends) = Machine.Validity(_second);
        Assert.Equal(365, Math.Round((ends - begins).TotalDays));
        Renew();
        _clock.Advance(TimeSpan.FromDays(285));
        Assert.Equal(ends, Machine.Validity(_second).Ends);
        await AdvanceUntilAsync("it was renewed", () => Machine.Validity(_second).Ends > ends);
        Assert.InRange((ends - _clock.GetUtcNow()).TotalDays, 60, 75);

        // The first one has ended; nothing was started again.
        _clock.Advance(TimeSpan.FromDays(100));
        using var client = new KubernetesClient($"unix:{_second.ApiSocket}");
        await client.CreateAsync(Kinds.Node, null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "desk" } }, _none);
        Assert.Contains(_said.Lines, line => line.StartsWith("The certificate of node desk was renewed", StringComparison.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_second.Database, "machine.pem")));
    }

    [Fact]
    public async Task While_the_first_machine_is_away_it_is_tried_again_and_what_was_there_stays()
    {
        var (_, ends) = Machine.Validity(_second);
        _door.Dispose();
        _clock.Advance(TimeSpan.FromDays(300));
        Renew();
        await AdvanceUntilAsync("it said that it could not", () => _said.Lines.Any(line => line.Contains("could not be renewed; in an hour again", StringComparison.Ordinal)));
        Assert.Equal(ends, Machine.Validity(_second).Ends);
        _door = new MachineDoor(_first, new IPEndPoint(IPAddress.Loopback, _machine.Server.Port), NullLogger.Instance);
        await AdvanceUntilAsync("it was renewed", () => Machine.Validity(_second).Ends > ends);
    }

    [Fact]
    public async Task After_too_long_an_absence_it_says_once_that_the_machine_is_to_join_again_and_that_works()
    {
        var (_, ends) = Machine.Validity(_second);
        _clock.Advance(TimeSpan.FromDays(366));
        Renew();
        await AdvanceUntilAsync("it said so", () => !_said.Lines.IsEmpty);
        for (var i = 0; i < 5; i++)
        {
            _clock.Advance(_hour);
        }

        var line = Assert.Single(_said.Lines);
        Assert.StartsWith($"The certificate of node desk ended at {ends:u}, before it could be renewed", line, StringComparison.Ordinal);
        Assert.Contains("weft nodes token", line, StringComparison.Ordinal);
        using (var client = new KubernetesClient($"unix:{_second.ApiSocket}"))
        {
            var refused = await Assert.ThrowsAsync<KubernetesException>(() => client.GetAsync(Kinds.Node, null, "desk", _none));
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        }

        await JoinAsync(new IPEndPoint(IPAddress.Loopback, _machine.Server.Port));
        Assert.True(Machine.Validity(_second).Ends > _clock.GetUtcNow());
    }

    private static IPEndPoint FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }

    private void Renew()
    {
        var client = new KubernetesClient($"unix:{_second.ApiSocket}");
        _renewing = RunAsync();

        async Task RunAsync()
        {
            using (client)
            {
                await new CertificateRenewal(client, _second, _machine, _clock, _said).RunAsync(_stop.Token);
            }
        }
    }

    private Task AdvanceUntilAsync(string what, Func<bool> holds) => Eventually.HoldsAsync(
        what,
        () =>
        {
            _clock.Advance(_hour);
            return Task.FromResult(holds());
        },
        () => Task.FromResult(string.Join('\n', _said.Lines)));

    private async Task<Machine> JoinAsync(IPEndPoint address)
    {
        using var authority = X509Certificate2.CreateFromPem(_api.AuthorityPem);
        var token = JoinToken.New(authority);
        using var client = new KubernetesClient($"unix:{_first.ApiSocket}");
        await client.CreateAsync(Kinds.Secret, "kube-system", token.ToSecret(_clock.GetUtcNow() + _hour), _none);
        return await Joining.JoinAsync(_second, new Uri($"https://{address}"), token, "desk", null, _none);
    }

    private sealed class Said : ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
