// SPDX-License-Identifier: Apache-2.0

namespace Weft.Sample;

/// <summary>What the program prints when asked what it can do.</summary>
internal static class Usage
{
    private const string Text = """
        weft-sample [serve]  a small HTTP service for examples and tests
          --port 8080              also $PORT
          --name reviews           also $SERVICE_NAME; else from the host name
          --version v1             also $SERVICE_VERSION or $VERSION; else from the end of the name
          --latency 20ms±10        how long an answer takes, and how much that varies; also $LATENCY
          --fail-rate 5%           share of answers that are 500; also $FAIL_RATE
          --status 200             the status of the other answers; also $STATUS
          --calls URL,URL          asks these for every answer and shows what they said; also $CALLS
          --call-timeout 5s        gives up on one of them; also $CALL_TIMEOUT
          --require                answers 502 if one of them fails
          --page TITLE             / is a page for people, /api the JSON; also $PAGE
          --log                    one line a request on standard output
          paths: /  /healthz  /echo  /status/503  /delay/250ms

        weft-sample load --target URL [--rate 20] [--concurrency 16] [--duration 1m] [--requests 2000]
          --report 10s             one line that often
          --count version          counts the values of that field of the answers
          --fresh                  a new connection for every request
          -H 'name: value'

        weft-sample stand-in NAME [--port N] [--version V]
          answers as a well-known image does: nginx, httpbin, helloworld, http-echo, fortio,
          productpage, details, ratings, reviews

        weft-sample get [-i] [-X METHOD] [-H 'name: value'] [-d BODY] [--fail] [--timeout 10s] URL...

        """;

    public static int Print(TextWriter output)
    {
        output.Write(Text);
        return 0;
    }
}

/// <summary>The command line is wrong; the message says what and how to write it.</summary>
internal sealed class UsageException(string message) : Exception(message);
