// SPDX-License-Identifier: Apache-2.0

using System.Net.Sockets;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Weft.Protocols.Grpc;
using Weft.Protocols.Hpack;
using Weft.Protocols.Http2;
using Weft.Wire.Ads;

namespace Weft.Proxy.Control;

/// <summary>One connection to the control plane: the ADS stream for as long as it lasts, and certificate requests beside it.</summary>
internal sealed class ControlStream : IHttp2Handler
{
    private const int MaxMessageBytes = 64 * 1024 * 1024;
    private const string Ads = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

    private static readonly TimeSpan _idleBeforePing = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _incompleteAfter = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _tick = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly string _token;
    private readonly DeltaClientSession _session;
    private readonly CertificateRenewal _renewal;
    private readonly TimeProvider _clock;
    private readonly TextWriter _log;
    private readonly Http2Client _http;
    private readonly GrpcMessageReader _messages = new(MaxMessageBytes);
    private readonly int _ads;
    private byte[] _input = new byte[64 * 1024];
    private int _filled;
    private string? _ended;
    private bool _served;
    private DateTimeOffset _lastHeard;
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
        _http = new Http2Client(this, Http2ClientLimits.Default);
        _ads = _http.Open(RequestHeaders(Ads), endStream: false);
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
            _renewal.AskIfDue(_http, RequestHeaders);
            Flush();
            var wait = _renewal.UntilDue(_clock.GetUtcNow(), _tick);
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
        if (_ended is { Length: > 0 } reason)
        {
            _log.WriteLine($"weft-proxy: the control plane's stream ended: {reason}");
        }

        return _served;
    }

    public void OnHeaders(int stream, IReadOnlyList<TextHeaderField> fields, bool endStream)
    {
        if (stream != _ads)
        {
            _renewal.OnHeaders(stream, fields, endStream);
            return;
        }

        var status = fields.FirstOrDefault(field => field.Name == "grpc-status").Value;
        var http = fields.FirstOrDefault(field => field.Name == ":status").Value;
        if (status is not (null or "0") || (http is not null && http != "200"))
        {
            var text = fields.FirstOrDefault(field => field.Name == "grpc-message").Value;
            _ended = $"status {status ?? http}: {Uri.UnescapeDataString(text ?? "no message")}";
        }
        else if (endStream)
        {
            _ended = "it was closed properly and will be opened again.";
        }
    }

    public void OnData(int stream, ReadOnlySpan<byte> data, bool endStream)
    {
        if (stream != _ads)
        {
            _renewal.OnData(stream, data);
            return;
        }

        _messages.Append(data);
        GrpcReadResult result;
        while ((result = _messages.TryRead(out var message)) == GrpcReadResult.Message)
        {
            Take(DeltaDiscoveryResponse.Parser.ParseFrom(message.Span));
        }

        if (result is not GrpcReadResult.NeedMore)
        {
            _ended = $"a message of it cannot be read ({result}).";
        }
    }

    public void OnReset(int stream, Http2ErrorCode code)
    {
        if (stream == _ads)
        {
            _ended = $"it was reset ({code}).";
        }
        else
        {
            _renewal.OnReset(stream, code);
        }
    }

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
        else if (now - _lastHeard > _idleBeforePing)
        {
            _http.Ping();
        }
    }

    private void Send(DeltaDiscoveryRequest request)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        GrpcFrame.Write(output, request.ToByteArray());
        if (!_http.Send(_ads, output.WrittenSpan, endStream: false))
        {
            _ended ??= "a request could not be sent.";
        }
    }

    private void Flush()
    {
        var bytes = _http.Output.WrittenSpan;
        while (!bytes.IsEmpty)
        {
            bytes = bytes[_socket.Send(bytes)..];
        }

        _http.Output.ResetWrittenCount();
    }

    private void ReceiveSome()
    {
        if (_filled == _input.Length)
        {
            Array.Resize(ref _input, _input.Length * 2);
        }

        var received = _socket.Receive(_input.AsSpan(_filled));
        if (received == 0)
        {
            _ended = "the connection was closed.";
            return;
        }

        _lastHeard = _clock.GetUtcNow();
        _filled += received;
        var consumed = _http.Receive(_input.AsSpan(0, _filled));
        _input.AsSpan(consumed, _filled - consumed).CopyTo(_input);
        _filled -= consumed;
        if (_http.Failure is { } failure)
        {
            _ended = failure.Text;
            Flush();
        }
    }

    private IEnumerable<TextHeaderField> RequestHeaders(string path)
    {
        yield return new TextHeaderField(":method", "POST");
        yield return new TextHeaderField(":scheme", "http");
        yield return new TextHeaderField(":path", path);
        yield return new TextHeaderField(":authority", "weft-control");
        yield return new TextHeaderField("content-type", "application/grpc");
        yield return new TextHeaderField("te", "trailers");
        if (_token.Length > 0)
        {
            yield return new TextHeaderField("authorization", $"Bearer {_token}");
        }
    }
}
