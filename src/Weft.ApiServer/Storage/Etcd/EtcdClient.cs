// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Storage.Etcd;

/// <summary>
/// Calls etcd's API v3 in its JSON form. A call goes to the endpoint that answered last; one that cannot be reached is passed
/// over, and one that broke off in the middle of a write is not tried again: nobody knows what it did.
/// </summary>
internal sealed class EtcdClient : IDisposable
{
    private const string AuthenticatePath = "/v3/auth/authenticate";
    private const int Unauthenticated = 16;
    private const int InvalidArgument = 3;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(5);

    private readonly StoreLocation _location;
    private readonly HttpClient _http;
    private readonly X509Certificate2Collection _authorities = [];
    private readonly X509Certificate2? _certificate;
    private int _endpoint;
    private string? _token;

    /// <param name="sockets">
    /// Unix sockets of a relay that leads to the endpoints, one each, where they cannot be reached directly; it sends one byte when it has.
    /// </param>
    public EtcdClient(StoreLocation location, IReadOnlyList<string> sockets)
    {
        _location = location;
        if (location.CaFile is { } authorities)
        {
            _authorities.ImportFromPemFile(authorities);
        }

        if (location.CertificateFile is { } certificate)
        {
            _certificate = X509Certificate2.CreateFromPemFile(certificate, location.KeyFile);
        }

        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, sockets, cancellationToken),
            ConnectTimeout = TimeSpan.FromSeconds(3),
            UseProxy = false,
            SslOptions = Tls(),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Sends one request and returns etcd's answer.</summary>
    /// <exception cref="EtcdException">Nothing answered, or the answer was a refusal.</exception>
    public JsonObject Call(string path, JsonObject body, bool changes = false)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return Once(path, body);
            }
            catch (EtcdException refused) when (refused.Code == Unauthenticated && _location.User is not null && attempt == 0)
            {
                // Its token was void.
            }
            catch (EtcdException broken) when (broken.Code < 0 && attempt < _location.Endpoints.Count && (broken.NothingSent || !changes))
            {
                Interlocked.CompareExchange(ref _endpoint, (broken.Endpoint + 1) % _location.Endpoints.Count, broken.Endpoint);
            }
        }
    }

    /// <summary>Sends one request and returns the messages of its endless answer.</summary>
    public async IAsyncEnumerable<JsonObject> StreamAsync(
        string path, JsonObject body, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = Request(path, body, out var endpoint);
        HttpResponseMessage answer;
        try
        {
            answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException problem)
        {
            Interlocked.CompareExchange(ref _endpoint, (endpoint + 1) % _location.Endpoints.Count, endpoint);
            throw Broken(problem, endpoint);
        }

        using (answer)
        {
            using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
            while (await reader.ReadLineAsync(cancellationToken) is { } line)
            {
                if (line.Length > 0)
                {
                    var message = JsonNode.Parse(line) as JsonObject ?? [];
                    yield return message["result"] as JsonObject ?? throw Refusal(message["error"] as JsonObject ?? message, endpoint);
                }
            }
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _certificate?.Dispose();
    }

    private JsonObject Once(string path, JsonObject body)
    {
        var endpoint = Volatile.Read(ref _endpoint);
        using var limit = new CancellationTokenSource(_limit);
        try
        {
            using var request = Request(path, body, out endpoint);
            using var answer = _http.Send(request, HttpCompletionOption.ResponseContentRead, limit.Token);
            using var stream = answer.Content.ReadAsStream(limit.Token);
            var message = JsonNode.Parse(stream) as JsonObject ?? [];
            return answer.IsSuccessStatusCode ? message : throw Refusal(message, endpoint);
        }
        catch (HttpRequestException problem)
        {
            throw Broken(problem, endpoint);
        }
        catch (OperationCanceledException problem)
        {
            throw new EtcdException($"{Name(endpoint)} did not answer within {_limit.TotalSeconds} s", -1, endpoint, false, problem);
        }
        catch (Exception problem) when (problem is IOException or System.Text.Json.JsonException)
        {
            throw new EtcdException($"{Name(endpoint)} broke off its answer: {problem.Message}", -1, endpoint, false, problem);
        }
    }

    private HttpRequestMessage Request(string path, JsonObject body, out int endpoint)
    {
        endpoint = Volatile.Read(ref _endpoint);
        var target = _location.Endpoints[endpoint];
        var url = new UriBuilder(_location.Secure ? "https" : "http", target.Host, target.Port, path).Uri;
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(JsonText.Bytes(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (_location.User is not null && path is not AuthenticatePath)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Token());
        }

        return request;
    }

    private string Token()
    {
        if (Volatile.Read(ref _token) is { } known)
        {
            return known;
        }

        var answer = Once(AuthenticatePath, new JsonObject
        {
            ["name"] = _location.User,
            ["password"] = File.ReadAllText(_location.PasswordFile!).TrimEnd('\r', '\n'),
        });
        var token = answer.Text("token") ?? throw new EtcdException("etcd gave no token", 0, 0, true);
        Volatile.Write(ref _token, token);
        return token;
    }

    private EtcdException Broken(HttpRequestException problem, int endpoint)
    {
        var unsent = problem.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError;
        var why = problem.InnerException is { } inner && !problem.Message.Contains(inner.Message, StringComparison.Ordinal)
            ? $"{problem.Message} ({inner.Message})"
            : problem.Message;
        return new EtcdException($"{Name(endpoint)} cannot be reached: {why}", -1, endpoint, unsent, problem);
    }

    private EtcdException Refusal(JsonObject message, int endpoint)
    {
        var why = message.Text("message") ?? message.Text("error") ?? "no reason given";
        var code = (int)(message.Number("code") ?? message.Number("grpc_code") ?? 0);
        if (code == Unauthenticated || why.Contains("auth: revision in header is old", StringComparison.Ordinal))
        {
            // A token grows old, and every change of users makes it void: the next call asks for another.
            code = Unauthenticated;
            Volatile.Write(ref _token, null);
        }
        else if (code == InvalidArgument && why.Contains("authentication failed", StringComparison.Ordinal))
        {
            why = $"{why} (user '{_location.User}' with the password in '{_location.PasswordFile}')";
        }

        return new EtcdException($"{Name(endpoint)} refused: {why}", code, endpoint, false);
    }

    private string Name(int endpoint) => string.Create(
        CultureInfo.InvariantCulture, $"etcd at {_location.Endpoints[endpoint].Host}:{_location.Endpoints[endpoint].Port}");

    private async ValueTask<Stream> ConnectAsync(DnsEndPoint target, IReadOnlyList<string> sockets, CancellationToken cancellationToken)
    {
        var place = _location.Endpoints.ToList().FindIndex(endpoint =>
            endpoint.Port == target.Port && string.Equals(endpoint.Host, target.Host, StringComparison.OrdinalIgnoreCase));
        EndPoint way = place >= 0 && place < sockets.Count ? new UnixDomainSocketEndPoint(sockets[place]) : target;
        var socket = way is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (way is DnsEndPoint)
            {
                // A watch is silent for hours; without these the death of etcd's machine would look the same.
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 10);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 3);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
            }

            await socket.ConnectAsync(way, cancellationToken);
            if (way is not DnsEndPoint && await socket.ReceiveAsync(new byte[1], cancellationToken) == 0)
            {
                // The relay says with one byte that it has reached the other end.
                throw new SocketException((int)SocketError.ConnectionRefused);
            }

            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private SslClientAuthenticationOptions Tls()
    {
        var options = new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12 | System.Security.Authentication.SslProtocols.Tls13,
        };
        if (_certificate is not null)
        {
            options.ClientCertificates = [_certificate];
        }

        if (_authorities.Count > 0)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(_authorities);
        }

        return options;
    }
}

/// <summary>A call that etcd did not answer (code below zero) or refused with a code of gRPC.</summary>
internal sealed class EtcdException(string message, int code, int endpoint, bool nothingSent, Exception? cause = null) : Exception(message, cause)
{
    public int Code { get; } = code;

    public int Endpoint { get; } = endpoint;

    /// <summary>Etcd cannot have seen the request.</summary>
    public bool NothingSent { get; } = nothingSent;
}
