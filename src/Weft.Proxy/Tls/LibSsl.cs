// SPDX-License-Identifier: Apache-2.0

using System.Runtime.InteropServices;

namespace Weft.Proxy.Tls;

/// <summary>The part of OpenSSL 3 that the proxy uses.</summary>
internal static unsafe partial class LibSsl
{
    internal const int Tls12 = 0x0303;
    internal const int Tls13 = 0x0304;
    internal const int VerifyNone = 0;
    internal const int VerifyPeer = 1;
    internal const int VerifyFailIfNoPeer = 2;
    internal const int ErrorWantRead = 2;
    internal const int ErrorWantWrite = 3;
    internal const int ErrorZeroReturn = 6;
    internal const int AlpnAccepted = 0;
    internal const int AlpnRefused = 2;
    internal const int AlpnIgnored = 3;
    internal const int ControlSetMode = 33;
    internal const int ControlSessionCache = 44;
    internal const int ControlSetServerName = 55;
    internal const int ControlMinProtocol = 123;
    internal const int ControlMaxProtocol = 124;
    internal const ulong VerifyRevocations = 0x4 | 0x8;
    internal const long ModePartialWrite = 1;
    internal const long ModeMovingBuffer = 2;
    internal const long ModeNoAutoChain = 8;
    internal const long ModeReleaseBuffers = 0x10;
    internal const ulong OptionNoTicket = 1UL << 14;
    internal const ulong OptionCipherServerPreference = 1UL << 22;
    internal const ulong OptionNoRenegotiation = 1UL << 30;
    internal const int SubjectAltName = 85;
    internal const int GeneralNameEmail = 1;
    internal const int GeneralNameDns = 2;
    internal const int GeneralNameUri = 6;
    internal const int GeneralNameAddress = 7;
    internal const int BioFlush = 11;
    internal const int BioTypeOwn = 0x0400 | 0x70;
    internal const int BioFlagRead = 1;
    internal const int BioFlagRetry = 8;
    internal const ulong NameRfc2253 = 0x1110317;

    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    [LibraryImport(Ssl, EntryPoint = "TLS_method")]
    internal static partial nint TlsMethod();

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_new")]
    internal static partial nint ContextNew(nint method);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_free")]
    internal static partial void ContextFree(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_ctrl")]
    internal static partial long ContextControl(nint context, int command, long value, nint pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_options")]
    internal static partial ulong ContextSetOptions(nint context, ulong options);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_num_tickets")]
    internal static partial int ContextSetTicketCount(nint context, nuint count);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_ciphersuites", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ContextSetSuites(nint context, string suites);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ContextSetCiphers(nint context, string ciphers);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_certificate")]
    internal static partial int ContextUseCertificate(nint context, nint certificate);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_PrivateKey")]
    internal static partial int ContextUseKey(nint context, nint key);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_check_private_key")]
    internal static partial int ContextCheckKey(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_get_cert_store")]
    internal static partial nint ContextStore(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_default_verify_paths")]
    internal static partial int ContextUseSystemRoots(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_verify")]
    internal static partial void ContextSetVerify(nint context, int mode, nint callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_alpn_select_cb")]
    internal static partial void ContextSetAlpnSelect(
        nint context, delegate* unmanaged<nint, byte**, byte*, byte*, uint, nint, int> select, nint argument);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_alpn_protos")]
    internal static partial int ContextSetAlpn(nint context, byte* protocols, uint length);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_add_client_CA")]
    internal static partial int ContextAnnounceRoot(nint context, nint root);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_security_level")]
    internal static partial void ContextSetSecurity(nint context, int level);

    [LibraryImport(Ssl, EntryPoint = "SSL_add1_host", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int AddExpectedHost(nint ssl, string host);

    [LibraryImport(Ssl, EntryPoint = "SSL_new")]
    internal static partial nint New(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_free")]
    internal static partial void Free(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_bio")]
    internal static partial void SetBio(nint ssl, nint read, nint write);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_accept_state")]
    internal static partial void SetAccept(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_connect_state")]
    internal static partial void SetConnect(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_ctrl", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial long ControlText(nint ssl, int command, long value, string text);

    [LibraryImport(Ssl, EntryPoint = "SSL_set1_host", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetExpectedHost(nint ssl, string host);

    [LibraryImport(Ssl, EntryPoint = "SSL_do_handshake")]
    internal static partial int DoHandshake(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_keylog_callback")]
    internal static partial void ContextSetKeyLog(nint context, delegate* unmanaged<nint, byte*, void> take);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_read_ahead")]
    internal static partial void SetReadAhead(nint ssl, int value);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_rbio")]
    internal static partial nint ReadBio(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_version")]
    internal static partial int Version(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_current_cipher")]
    internal static partial nint CurrentSuite(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_CIPHER_get_protocol_id")]
    internal static partial ushort SuiteId(nint suite);

    [LibraryImport(Ssl, EntryPoint = "SSL_alert_desc_string_long")]
    internal static partial nint AlertText(int alert);

    [LibraryImport(Ssl, EntryPoint = "SSL_read")]
    internal static partial int Read(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_write")]
    internal static partial int Write(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_has_pending")]
    internal static partial int HasPending(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_shutdown")]
    internal static partial int Shutdown(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_error")]
    internal static partial int GetError(nint ssl, int result);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_verify_result")]
    internal static partial long VerifyResult(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get1_peer_certificate")]
    internal static partial nint PeerCertificate(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get0_alpn_selected")]
    internal static partial void SelectedAlpn(nint ssl, byte** protocol, uint* length);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_new", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint BioMethodNew(int type, string name);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_read")]
    internal static partial int BioMethodSetRead(nint method, delegate* unmanaged<nint, byte*, int, int> read);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_write")]
    internal static partial int BioMethodSetWrite(nint method, delegate* unmanaged<nint, byte*, int, int> write);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_ctrl")]
    internal static partial int BioMethodSetControl(nint method, delegate* unmanaged<nint, int, long, nint, long> control);

    [LibraryImport(Crypto, EntryPoint = "BIO_new")]
    internal static partial nint BioNew(nint method);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_data")]
    internal static partial void BioSetData(nint bio, nint data);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_data")]
    internal static partial nint BioGetData(nint bio);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_init")]
    internal static partial void BioSetInit(nint bio, int value);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_flags")]
    internal static partial void BioSetFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "BIO_clear_flags")]
    internal static partial void BioClearFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "BIO_new_mem_buf")]
    internal static partial nint BioOfMemory(byte* bytes, int length);

    [LibraryImport(Crypto, EntryPoint = "BIO_s_mem")]
    internal static partial nint BioMemoryMethod();

    [LibraryImport(Crypto, EntryPoint = "BIO_read")]
    internal static partial int BioRead(nint bio, byte* buffer, int length);

    [LibraryImport(Crypto, EntryPoint = "BIO_free")]
    internal static partial int BioFree(nint bio);

    [LibraryImport(Crypto, EntryPoint = "PEM_read_bio_X509")]
    internal static partial nint ReadCertificate(nint bio, nint target, nint password, nint argument);

    [LibraryImport(Crypto, EntryPoint = "PEM_read_bio_PrivateKey")]
    internal static partial nint ReadKey(nint bio, nint target, nint password, nint argument);

    [LibraryImport(Crypto, EntryPoint = "PEM_read_bio_X509_CRL")]
    internal static partial nint ReadRevocations(nint bio, nint target, nint password, nint argument);

    [LibraryImport(Crypto, EntryPoint = "PEM_write_bio_X509")]
    internal static partial int WriteCertificate(nint bio, nint certificate);

    [LibraryImport(Crypto, EntryPoint = "X509_CRL_free")]
    internal static partial void RevocationsFree(nint list);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_add_crl")]
    internal static partial int StoreAddRevocations(nint store, nint list);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_set_flags")]
    internal static partial int StoreSetFlags(nint store, ulong flags);

    [LibraryImport(Crypto, EntryPoint = "X509_check_private_key")]
    internal static partial int CertificateFitsKey(nint certificate, nint key);

    [LibraryImport(Crypto, EntryPoint = "X509_get_X509_PUBKEY")]
    internal static partial nint CertificateKey(nint certificate);

    [LibraryImport(Crypto, EntryPoint = "i2d_X509_PUBKEY")]
    internal static partial int EncodeKey(nint key, byte** output);

    [LibraryImport(Crypto, EntryPoint = "X509_free")]
    internal static partial void CertificateFree(nint certificate);

    [LibraryImport(Crypto, EntryPoint = "EVP_PKEY_free")]
    internal static partial void KeyFree(nint key);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_add_cert")]
    internal static partial int StoreAdd(nint store, nint certificate);

    [LibraryImport(Crypto, EntryPoint = "X509_get_ext_d2i")]
    internal static partial nint CertificateExtension(nint certificate, int kind, nint critical, nint index);

    [LibraryImport(Crypto, EntryPoint = "X509_get_subject_name")]
    internal static partial nint CertificateSubject(nint certificate);

    [LibraryImport(Crypto, EntryPoint = "X509_NAME_print_ex")]
    internal static partial int NamePrint(nint bio, nint name, int indent, ulong flags);

    [LibraryImport(Crypto, EntryPoint = "X509_digest")]
    internal static partial int CertificateDigest(nint certificate, nint digest, byte* output, uint* length);

    [LibraryImport(Crypto, EntryPoint = "EVP_sha256")]
    internal static partial nint Sha256();

    [LibraryImport(Crypto, EntryPoint = "X509_verify_cert_error_string")]
    internal static partial nint VerifyErrorText(long error);

    [LibraryImport(Crypto, EntryPoint = "OPENSSL_sk_num")]
    internal static partial int StackCount(nint stack);

    [LibraryImport(Crypto, EntryPoint = "OPENSSL_sk_value")]
    internal static partial nint StackItem(nint stack, int index);

    [LibraryImport(Crypto, EntryPoint = "GENERAL_NAME_get0_value")]
    internal static partial nint GeneralNameValue(nint name, int* type);

    [LibraryImport(Crypto, EntryPoint = "GENERAL_NAMES_free")]
    internal static partial void GeneralNamesFree(nint names);

    [LibraryImport(Crypto, EntryPoint = "ASN1_STRING_get0_data")]
    internal static partial byte* StringBytes(nint text);

    [LibraryImport(Crypto, EntryPoint = "ASN1_STRING_length")]
    internal static partial int StringLength(nint text);

    [LibraryImport(Crypto, EntryPoint = "ERR_get_error")]
    internal static partial ulong NextError();

    [LibraryImport(Crypto, EntryPoint = "ERR_error_string_n")]
    internal static partial void ErrorText(ulong error, byte* buffer, nuint length);

    [LibraryImport(Crypto, EntryPoint = "ERR_clear_error")]
    internal static partial void ClearErrors();

    /// <summary>The oldest error's text; empties the queue, so that it cannot be blamed on a later call.</summary>
    internal static string TakeError()
    {
        var error = NextError();
        if (error == 0)
        {
            return "unknown error";
        }

        var buffer = stackalloc byte[256];
        ErrorText(error, buffer, 256);
        ClearErrors();
        return Marshal.PtrToStringUTF8((nint)buffer) ?? "unknown error";
    }
}
