// SPDX-License-Identifier: Apache-2.0

using System.Buffers;
using System.Security.Cryptography;
using Google.Protobuf;
using Istio.V1.Auth;
using Weft.Model.Identity;
using Weft.Protocols.Grpc;
using Weft.Protocols.Hpack;
using Weft.Protocols.Http2;

namespace Weft.Proxy.Control;

/// <summary>
/// Gets the workload's certificate and a new one at about half of its life, over the control stream's connection. A refusal is retried
/// with growing pauses; the old certificate stays in use meanwhile.
/// </summary>
internal sealed class CertificateRenewal
{
    private const int MaxAnswerBytes = 1024 * 1024;
    private const string Path = "/istio.v1.auth.IstioCertificateService/CreateCertificate";

    private static readonly TimeSpan _firstRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _longestRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _answerWithin = TimeSpan.FromSeconds(10);

    private readonly Bootstrap _bootstrap;
    private readonly IControlSink _sink;
    private readonly TimeProvider _clock;
    private readonly Random _random;
    private readonly TextWriter _log;
    private readonly IdentityStore _store;
    private DateTimeOffset _due;
    private TimeSpan _retry = _firstRetry;
    private int _stream;
    private DateTimeOffset _askedAt;
    private SigningRequest? _asked;
    private GrpcMessageReader _answer = new(MaxAnswerBytes);
    private WorkloadIdentity? _received;

    public CertificateRenewal(Bootstrap bootstrap, IControlSink sink, TimeProvider clock, Random random, TextWriter log)
    {
        _bootstrap = bootstrap;
        _sink = sink;
        _clock = clock;
        _random = random;
        _log = log;
        _store = new IdentityStore(bootstrap.Identity.StateDirectory);
        _due = clock.GetUtcNow();
    }

    /// <summary>Uses the stored identity if it is still valid.</summary>
    public void Load()
    {
        if (_store.Load(_clock.GetUtcNow(), _log) is { } stored && _sink.ApplyIdentity(stored) is null)
        {
            _due = stored.RenewAt(_random);
        }
    }

    public TimeSpan UntilDue(DateTimeOffset now, TimeSpan atMost)
    {
        var until = (_stream != 0 ? _askedAt + _answerWithin : _due) - now;
        return until < TimeSpan.Zero ? TimeSpan.Zero : until < atMost ? until : atMost;
    }

    public void AskIfDue(Http2Client http, Func<string, IEnumerable<TextHeaderField>> headers)
    {
        var now = _clock.GetUtcNow();
        if (_stream != 0 && now - _askedAt > _answerWithin)
        {
            http.Reset(_stream, Http2ErrorCode.Cancel);
            Fail($"no answer within {_answerWithin.TotalSeconds:0} s");
        }

        if (_stream != 0 || now < _due || !http.CanOpen)
        {
            return;
        }

        var node = _bootstrap.Node.Metadata;
        _asked = SigningRequest.Create(new SpiffeId(_bootstrap.Identity.TrustDomain, node.Namespace, node.ServiceAccount));
        _askedAt = now;
        _answer = new GrpcMessageReader(MaxAnswerBytes);
        _received = null;
        var request = new IstioCertificateRequest
        {
            Csr = _asked.RequestPem,
            ValidityDuration = _bootstrap.Identity.CertificateLifetimeSeconds,
        };
        var body = new ArrayBufferWriter<byte>();
        GrpcFrame.Write(body, request.ToByteArray());
        _stream = http.Open(headers(Path), endStream: false);
        http.Send(_stream, body.WrittenSpan, endStream: true);
    }

    /// <summary>The connection is gone: what was asked on it will not be answered.</summary>
    public void Forget() => _stream = 0;

    public void OnHeaders(int stream, IReadOnlyList<TextHeaderField> fields, bool endStream)
    {
        if (stream != _stream)
        {
            return;
        }

        var status = fields.FirstOrDefault(field => field.Name == "grpc-status").Value;
        if (status is not (null or "0"))
        {
            Fail($"status {status}: {Uri.UnescapeDataString(fields.FirstOrDefault(field => field.Name == "grpc-message").Value ?? "no message")}");
        }
        else if (endStream)
        {
            Finish();
        }
    }

    public void OnData(int stream, ReadOnlySpan<byte> data)
    {
        if (stream != _stream || _asked is null)
        {
            return;
        }

        _answer.Append(data);
        var result = _answer.TryRead(out var message);
        if (result == GrpcReadResult.Message)
        {
            try
            {
                _received = WorkloadIdentity.FromAnswer(IstioCertificateResponse.Parser.ParseFrom(message.Span).CertChain, _asked.KeyPem);
            }
            catch (Exception problem) when (problem is CryptographicException or ArgumentException or InvalidProtocolBufferException)
            {
                Fail($"the answer is no certificate for the key: {problem.Message}");
            }
        }
        else if (result != GrpcReadResult.NeedMore)
        {
            Fail($"the answer cannot be read ({result})");
        }
    }

    public void OnReset(int stream, Http2ErrorCode code)
    {
        if (stream == _stream)
        {
            Fail($"the request was reset ({code})");
        }
    }

    private void Finish()
    {
        _stream = 0;
        if (_received is not { } identity)
        {
            Fail("the answer is empty");
            return;
        }

        if (_sink.ApplyIdentity(identity) is { } problem)
        {
            Fail(problem);
            return;
        }

        _store.Save(identity);
        _retry = _firstRetry;
        _due = identity.RenewAt(_random);
    }

    private void Fail(string reason)
    {
        _stream = 0;
        _asked = null;
        _due = _clock.GetUtcNow() + (_retry * (0.5 + (_random.NextDouble() / 2)));
        _retry = _retry * 2 < _longestRetry ? _retry * 2 : _longestRetry;
        _log.WriteLine($"weft-proxy: no certificate was issued: {reason}; trying again.");
    }
}
