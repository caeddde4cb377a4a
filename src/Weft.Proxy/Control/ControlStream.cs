// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Envoy.Service.Discovery.V3;
using Weft.Protocols.Http2;
using Weft.Wire.Ads;

namespace Weft.Proxy.Control;

/// <summary>One connection to the control plane: the ADS stream for as long as it lasts, and certificate requests beside it.</summary>
internal sealed class ControlStream : IHttp2Events
{
    private const int MaxMessageBytes = 64 * 1024 * 1024;
    private const string Ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

    // Plans come in large messages that are used up at once.
    private static readonly Http2Limits _limits = new() { StreamWindowBytes = 4 * 1024 * 1024, ConnectionWindowBytes = 16 * 1024 * 1024 };

    private static readonly TimeSpan _idleBeforePing = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _incompleteAfter = TimeSpan.FromSeconds(3);

    private readonly Socket _socket;
    private readonly string _token;
    private readonly DeltaClientSession _session;
    private readonly CertificateRenewal _renewal;
    private readonly TimeProvider _clock;
    private readonly TextWriter _log;
    private readonly Http2Connection _http;
    private readonly GrpcCall _ads;
    private readonly byte[] _input = new byte[64 * 1024];
    private string? _ended;
    private bool _served;
    private DateTimeOffset _lastHeard;
    private bool _pinged;
    private DateTimeOffset? _incompleteSince;

    public ControlStream(Socket socket, string token, DeltaClientSession session, CertificateRenewal renewal, TimeProvider clock, TextWriter log)
    {
        _socket = socket;
        _token = token;
        _session = session;
        _renewal = renewal;
        _clock = clock;
        _log = log;
        _lastHeard = clock.GetUtcNow();
        _http = new Http2Connection(Http2Role.Client, _limits, this);
        _ads = Open(Ads, MaxMessageBytes, message => Take(DeltaDiscoveryResponse.Parser.ParseFrom(message.Span)), End)!;
        foreach (var request in session.Connect())
        {
            Send(request);
        }
    }

    /// <summary>Called when the session has a new plan.</summary>
    public Action PlanArrived { get; set; } = () => { };

    /// <summary>Runs until the connection ends; true if the control plane had answered something useful.</summary>
    public bool Run(ManualResetEventSlim stop)
    {
        while (!stop.IsSet && _ended is null)
        {
            _renewal.AskIfDue(Open);
            Flush();
            var wait = _renewal.UntilDue(_clock.GetUtcNow(), UntilLook());
            if (_socket.Poll((int)Math.Max(wait.TotalMicroseconds, 1000), SelectMode.SelectRead))
            {
                ReceiveSome();
            }
            else
            {
                LookAtTheClock();
            }
        }

        _renewal.Forget();
        if (_ended is { Length: > 0 } reason && !stop.IsSet)
        {
            _log.WriteLine($"weft-proxy: the control plane's stream ended: {reason}");
        }

        return _served;
    }

    public void OnRequest(Http2Stream stream, in Http2Fields fields, bool endStream)
    {
        // Nobody asks a client.
    }

    public void OnResponse(Http2Stream stream, in Http2Fields fields, bool endStream) => CallOf(stream).TakeHead(fields, endStream);

    public void OnData(Http2Stream stream, ReadOnlySpan<byte> data, bool endStream) => CallOf(stream).TakeData(stream, data, endStream);

    public void OnTrailers(Http2Stream stream, in Http2Fields fields) => CallOf(stream).TakeHead(fields, isEnd: true);

    public void OnWritable(Http2Stream stream) => CallOf(stream).SendMore();

    public void OnReset(Http2Stream stream, Http2ErrorCode code, Http2ResetBy by) => CallOf(stream).TakeReset(code);

    public void OnClosed(Http2Stream stream)
    {
        // The call heard of its end already.
    }

    public void OnSettings()
    {
        // The calls are sent at once; that the control plane takes a few streams is agreed.
    }

    public void OnGoAway(Http2ErrorCode code, ReadOnlySpan<byte> text)
    {
        // What runs goes on; a new certificate is asked for on the next connection.
    }

    public void OnPong(ulong payload)
    {
        // Any received byte is a sign of life.
    }

    private static GrpcCall CallOf(Http2Stream stream) => (GrpcCall)stream.Owner!;

    private GrpcCall? Open(string path, int maxMessageBytes, Action<ReadOnlyMemory<byte>> received, Action<string?> ended) =>
        GrpcCall.Open(_http, path, _token, maxMessageBytes, received, ended);

    private void End(string? reason) =>
        _ended ??= reason is null ? "it was closed properly and will be opened again." : $"{reason}.";

    private void Take(DeltaDiscoveryResponse response)
    {
        _served = true;
        foreach (var request in _session.Receive(response))
        {
            Send(request);
        }

        foreach (var error in _session.Errors)
        {
            _log.WriteLine($"weft-proxy: refused a part of the plan, its last good version stays: {error}");
        }

        _incompleteSince = _session.Missing.Any() ? _incompleteSince ?? _clock.GetUtcNow() : null;
        PlanArrived();
    }

    private void LookAtTheClock()
    {
        var now = _clock.GetUtcNow();
        if (now - _incompleteSince > _incompleteAfter)
        {
            _log.WriteLine($"weft-proxy: still missing after {_incompleteAfter.TotalSeconds:0} s: {string.Join(", ", _session.Missing.Take(5))}. What has come is served.");
            _incompleteSince = null;
            _session.PublishIncomplete();
            PlanArrived();
        }

        if (now - _lastHeard > _idleBeforePing * 2)
        {
            _ended = "nothing was heard although it was pinged.";
        }
        else if (now - _lastHeard > _idleBeforePing && !_pinged)
        {
            _pinged = true;
            _http.Ping(0);
        }
    }

    /// <summary>How long there is nothing to do if nothing is heard.</summary>
    private TimeSpan UntilLook()
    {
        var now = _clock.GetUtcNow();
        var look = _lastHeard + (_pinged ? _idleBeforePing * 2 : _idleBeforePing);
        if (_incompleteSince + _incompleteAfter is { } complete && complete < look)
        {
            look = complete;
        }

        return look > now ? look - now : TimeSpan.Zero;
    }

    private void Send(DeltaDiscoveryRequest request)
    {
        if (!_ads.Send(request, isLast: false))
        {
            _ended ??= "a request could not be sent.";
        }
    }

    private void Flush()
    {
        // Whenever something has left, calls may write more.
        while (!_http.Output.IsEmpty)
        {
            _http.Sent(_socket.Send(_http.Output));
        }
    }

    private void ReceiveSome()
    {
        var received = _socket.Receive(_input);
        if (received == 0)
        {
            _ended = "the connection was closed.";
            return;
        }

        _lastHeard = _clock.GetUtcNow();
        _pinged = false;
        if (!_http.Receive(_input.AsSpan(0, received), _lastHeard.ToUnixTimeMilliseconds()))
        {
            _ended = _http.Failure!.Text;
            Flush();
        }
    }
}
