// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Net.Sockets;
using Weft.Wire.Ads;
using Weft.Wire.Plans;

namespace Weft.Proxy.Control;

/// <summary>
/// The proxy's one thread towards the control plane: it starts from what is on disk, keeps a connection open, puts plans and
/// certificates in force as they come, and goes on with the last good ones while nobody answers.
/// </summary>
internal sealed class ControlThread : IDisposable
{
    private static readonly TimeSpan _firstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan _longestPause = TimeSpan.FromSeconds(5);

    private readonly Bootstrap _bootstrap;
    private readonly IControlSink _sink;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly TextWriter _log;
    private readonly DeltaClientSession _session;
    private readonly CertificateRenewal _renewal;
    private readonly PlanEncoder _encoder = new();
    private readonly ManualResetEventSlim _stop = new();
    private volatile Socket? _socket;
    private long _applied;

    public ControlThread(Bootstrap bootstrap, IControlSink sink, TimeProvider clock, Random random, TextWriter log)
    {
        _bootstrap = bootstrap;
        _sink = sink;
        _clock = clock;
        _random = random;
        _log = log;
        _session = new DeltaClientSession(NodeClaims.Message(bootstrap.Node));
        _renewal = new CertificateRenewal(bootstrap, sink, clock, random, log);
    }

    /// <summary>Puts in force what an earlier run left, then keeps up with the control plane on a thread of its own.</summary>
    public void Start()
    {
        // The identity first: a plan whose listeners end TLS would reset connections until it is there.
        _renewal.Load();
        LoadPlan();
        if (_bootstrap.Control is { } control)
        {
            new Thread(() => KeepUp(control)) { IsBackground = true, Name = "control" }.Start();
        }
    }

    /// <summary>Lets the thread end after what it is doing.</summary>
    public void Dispose()
    {
        _stop.Set();
        try
        {
            // It may wait for the control plane to say something, for long.
            _socket?.Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The connection ended by itself.
        }
    }

    private void LoadPlan()
    {
        if (_bootstrap.PlanCache.Length == 0 || !File.Exists(_bootstrap.PlanCache))
        {
            return;
        }

        var cached = PlanCache.Read(File.ReadAllBytes(_bootstrap.PlanCache));
        if (cached is null || !_session.Seed(cached))
        {
            _log.WriteLine($"weft-proxy: the plan kept in '{_bootstrap.PlanCache}' is unusable and will be replaced.");
            return;
        }

        ApplyNewPlan(keep: false);
    }

    private void KeepUp(ControlSettings control)
    {
        var pause = _firstPause;
        while (!_stop.IsSet)
        {
            try
            {
                using var socket = Connect(control.Address);
                _socket = socket;
                var stream = new ControlStream(socket, Token(control), _session, _renewal, _clock, _log);
                stream.PlanArrived = () => ApplyNewPlan(keep: true);
                var served = stream.Run(_stop);
                pause = served ? _firstPause : Longer(pause);
            }
            catch (Exception problem) when (problem is SocketException or IOException)
            {
                pause = Longer(pause);
                _log.WriteLine($"weft-proxy: the control plane at '{control.Address}' does not answer ({problem.Message}); the last plan stays in force.");
            }

            // Half to whole: a thousand proxies that lost one control plane must not come back in one moment.
            _stop.Wait(pause * (0.5 + (_random.NextDouble() / 2)));
        }
    }

    private void ApplyNewPlan(bool keep)
    {
        if (_session.Plan is not { } plan || _session.Generation == _applied)
        {
            return;
        }

        _applied = _session.Generation;
        if (_sink.Apply(plan) is { } problem)
        {
            _log.WriteLine($"weft-proxy: the new plan cannot be used: {problem} The last one stays in force.");
            return;
        }

        if (keep && _bootstrap.PlanCache.Length > 0)
        {
            AtomicFile.Write(_bootstrap.PlanCache, PlanCache.Write(_encoder.Encode(plan)));
        }
    }

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < _longestPause ? pause * 2 : _longestPause;

    private static Socket Connect(string address)
    {
        const string Unix = "unix:";
        if (address.StartsWith(Unix, StringComparison.Ordinal))
        {
            var local = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            local.Connect(new UnixDomainSocketEndPoint(address[Unix.Length..]));
            return local;
        }

        if (!IPEndPoint.TryParse(address, out var endpoint))
        {
            throw new IOException("the address is neither unix:PATH nor IP:PORT");
        }

        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(endpoint);
        return socket;
    }

    private static string Token(ControlSettings control) => control.TokenFile.Length == 0 ? "" : File.ReadAllText(control.TokenFile).Trim();
}
