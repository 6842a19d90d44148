/** Where the other machine listens. */
export const PORT = 7000;
/** Its addresses: one that looks public to all that ask, and one of each range that is not. */
export const OUTSIDE = "11.1.1.2";
export const CLOSED = ["10.7.7.7", "172.16.7.7", "192.168.7.7", "169.254.169.254", "100.64.7.7"];
/** That of the machine on which the server is, towards the other. */
export const MACHINE = "11.1.1.1";
