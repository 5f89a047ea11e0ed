/* A library like any other: the loader must say that it is no plugin. */
int stationsync_test_unrelated(void);
int stationsync_test_unrelated(void) {
    return 1;
}
